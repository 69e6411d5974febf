// The watcher: its settings, its journal, what AGENTS_FILE says, and what it is linked to.
import { accessSync, constants, existsSync, lstatSync } from 'node:fs';
import { join } from 'node:path';

import { openReadOnlyDatabase } from '#shared/database.ts';
import type { Database } from '#shared/database.ts';

import { readAgentsFile } from '../../../watcher/agents-file.ts';
import type { AgentSettings } from '../../../watcher/agents-file.ts';
import { readConfig } from '../../../watcher/config.ts';
import {
  watcherApplicationId,
  watcherMigrationsDir,
} from '../../../watcher/database/watcher-database.ts';
import { createJournalStore } from '../../../watcher/journal/journal-store.ts';
import { attempt } from '../attempt.ts';
import { examineSettings } from '../configuration-check.ts';
import { judgeDatabaseFile } from '../database-check.ts';
import type { KeptDatabase } from '../database-check.ts';
import type { Subject } from '../examination.ts';
import { findLooseModes, judgeUser, ownerOf } from '../file-mode-check.ts';
import { fail, messageOf, pass, warn } from '../finding.ts';
import type { Finding } from '../finding.ts';
import { askService } from '../service-answer.ts';
import { checkGatewayLink } from './gateway-link.ts';
import { checkVaultLink } from './vault-link.ts';
import { findCredentials } from './watcher-credentials.ts';

type ReadWatcher = ReturnType<typeof readConfig>;
export type Agents = ReadonlyMap<string, AgentSettings>;

export async function* examineWatcher(subject: Subject): AsyncGenerator<Finding> {
  const { env, cwd, uid, clock } = subject;
  const known = findCredentials(env, cwd);
  yield* known.findings;
  if (known.findings.some(({ status }) => status === 'fail')) return;
  const { findings, read } = examineSettings('watcher: configuration', () =>
    readConfig({ ...env, ...known.variables }, cwd),
  );
  yield* findings;
  if (read === null) return;
  const { dataDir, agentsFile } = read.config;
  const ofUser = judgeUser(dataDir, ownerOf(dataDir), uid, 'watcher');
  yield* ofUser;
  if (ofUser.some(({ status }) => status === 'fail')) return;
  const { finding, isRunning } = await judgeRunning(read);
  yield finding;
  yield* await attempt('watcher: file modes', () => checkModes(dataDir));
  yield* await attempt('watcher: journal', () => checkJournal(join(dataDir, 'watcher.db')));
  const agents = yield* agentFindings(agentsFile);
  const link = { ...read, agents, isRunning };
  yield* await attempt('watcher to vault', () => checkVaultLink(link, clock.now()));
  yield* await attempt('watcher to gateway', () => checkGatewayLink(link, clock.now()));
}

async function judgeRunning({
  config: { healthPort },
}: ReadWatcher): Promise<{ finding: Finding; isRunning: boolean }> {
  const name = 'watcher';
  const url = `http://127.0.0.1:${healthPort}`;
  if (healthPort === 0) {
    const finding = pass(name, 'its health takes any free port: it was not asked');
    return { finding, isRunning: false };
  }
  const answer = await askService(`${url}/readyz`, null);
  if (answer.kind === 'silent') {
    return { finding: pass(name, `not running: nothing answers at ${url}`), isRunning: false };
  }
  const finding =
    answer.status === 200
      ? pass(name, `running, its health at ${url}`)
      : fail(
          name,
          `running, and not ready: ${JSON.stringify(answer.body)}`,
          'the vault does not answer it: see "watcher to vault" below',
        );
  return { finding, isRunning: true };
}

function checkModes(dataDir: string): Finding[] {
  const name = 'watcher: file modes';
  const files = ['watcher.db', 'watcher.db-wal', 'watcher.db-shm', 'watcher.lock'];
  const loose = findLooseModes(
    name,
    [dataDir],
    files.map((each) => join(dataDir, each)),
  );
  return loose.length > 0 ? loose : [pass(name, `${dataDir} is for its owner alone`)];
}

const kept: KeptDatabase = {
  name: 'watcher: journal',
  service: 'watcher',
  lossMend:
    'stop the watcher and move watcher.db away: it begins anew, and asks the vault what was answered',
};

function checkJournal(path: string): Finding[] {
  if (!existsSync(path)) {
    return [pass(kept.name, `${path} is not there yet: the first start makes it`)];
  }
  const open = (): Database => openReadOnlyDatabase(path, watcherApplicationId);
  const file = judgeDatabaseFile(path, kept, open, watcherMigrationsDir);
  if (file.status !== 'pass') return [file];
  const db = open();
  try {
    const store = createJournalStore(db);
    return [judgeJournal(path, store.openCount(), store.dead().length)];
  } finally {
    db.close();
  }
}

function judgeJournal(path: string, open: number, dead: number): Finding {
  const { name } = kept;
  if (dead === 0) return pass(name, `${path}: ${open} messages open, none given up`);
  return warn(
    name,
    `${dead} messages were given up, ${open} are open`,
    'see in their feeds why; npm run watcher:replay has them tried again',
  );
}

/** Gives what the file says; null without one. */
function* agentFindings(path: string | null): Generator<Finding, Agents | null> {
  const name = 'watcher: agents';
  if (path === null) {
    yield pass(name, 'AGENTS_FILE is unset: every agent that its key sees');
    return null;
  }
  try {
    const agents = readAgentsFile(path) ?? new Map<string, AgentSettings>();
    yield pass(name, `${path} names ${agents.size}: ${[...agents.keys()].join(', ')}`);
    for (const [agent, { inbox }] of agents) {
      if (inbox !== undefined) yield judgeInbox(agent, inbox);
    }
    return agents;
  } catch (err) {
    yield fail(name, messageOf(err), 'docs/watcher.md has an example');
    return null;
  }
}

function judgeInbox(agent: string, inbox: string): Finding {
  const name = 'watcher: inbox';
  const kind = lstatSync(inbox, { throwIfNoEntry: false });
  const mend = `make it a directory that the watcher's user may write to`;
  if (kind === undefined) return fail(name, `${inbox} of ${agent} is not there`, mend);
  if (!kind.isDirectory()) return fail(name, `${inbox} of ${agent} is no directory`, mend);
  try {
    accessSync(inbox, constants.W_OK);
    return pass(name, `${inbox} of ${agent}`);
  } catch {
    return fail(name, `${inbox} of ${agent} cannot be written to`, mend);
  }
}
