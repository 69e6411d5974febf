// npm run doctor on a project that is well, and on one with each thing broken in turn.
import { chmod, copyFile, mkdir, mkdtemp, open, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { openGatewayDatabase } from '../../gateway/database/gateway-database.ts';
import { startNode } from '../support/child-script.ts';
import { pinnedClaude, runDoctor } from '../support/doctor-run.ts';
import type { Diagnosis } from '../support/doctor-run.ts';
import { startGatewayProcess } from '../support/gateway-process.ts';
import { createProgramDirectory } from '../support/stand-in-program.ts';
import type { ProgramDirectory } from '../support/stand-in-program.ts';
import { startTestGateway } from '../support/test-gateway.ts';

let programs: ProgramDirectory;
let claude: string;
/** What a gateway leaves that answered one run and was stopped. */
let wellDir: string;
let dataDir: string;

beforeAll(async () => {
  programs = createProgramDirectory();
  claude = programs.fakeOfVersion('claude-of-the-pin.ts', pinnedClaude);
  wellDir = await mkdtemp(join(tmpdir(), 'gatehouse-'));
  await using gateway = await startTestGateway({ dataDir: wellDir, keep: true });
  const token = await gateway.mint('app');
  await gateway.run(token, { prompt: 'hello' });
});
afterAll(async () => {
  programs[Symbol.dispose]();
  await rm(wellDir, { recursive: true });
});

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'gatehouse-'));
  await mkdir(join(dataDir, 'runs'), { mode: 0o700 });
  await copyFile(join(wellDir, 'gateway.db'), join(dataDir, 'gateway.db'));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

function doctor(env: Record<string, string> = {}): Promise<Diagnosis> {
  return runDoctor(dataDir, { CLAUDE_BIN: claude, ...env });
}

describe('a project that is well', () => {
  it('passes every check, with nothing to mend, and is left as it was', async () => {
    const before = await stat(join(dataDir, 'gateway.db'));
    const { code, findings, complaints, about } = await doctor();
    expect(complaints).toEqual([]);
    expect(code).toBe(0);
    expect(findings.every(({ mend }) => mend === null)).toBe(true);
    expect(about('sandbox')).toMatchObject([{ seen: 'bwrap' }]);
    expect(about('sign-in')).toMatchObject([
      { seen: expect.stringMatching(/^a run was answered/) },
    ]);
    expect(about('audit log')).toMatchObject([{ seen: '2 rows, whole' }]);
    expect((await stat(join(dataDir, 'gateway.db'))).mtimeMs).toBe(before.mtimeMs);
  });

  it('tells names, what was seen and mends, line by line', async () => {
    await chmod(dataDir, 0o755);
    await using script = startNode(['cli/doctor.ts'], {
      ...{ HOME: dataDir, GATEWAY_DATA_DIR: dataDir, GATEWAY_PORT: '0', CLAUDE_BIN: claude },
    });
    const { stdout, code } = await script.ended;
    expect(stdout).toMatch(/^pass {2}sandbox {2,}bwrap$/m);
    expect(stdout).toContain(`fail  file modes                ${dataDir} is 755`);
    expect(stdout).toContain(`      mend: chmod 700 ${dataDir}\n`);
    expect(stdout).toMatch(/^\d+ passed, \d+ warnings, 2 failures$/m);
    expect(code).toBe(1);
  });

  it('makes one JSON document of it', async () => {
    await using script = startNode(['cli/doctor.ts', '--json'], {
      ...{ HOME: dataDir, GATEWAY_DATA_DIR: dataDir, GATEWAY_PORT: '0', CLAUDE_BIN: claude },
    });
    const { stdout } = await script.ended;
    const document = JSON.parse(stdout);
    expect(document).toMatchObject({ ok: false, summary: { fail: 1 } });
    expect(document.checks).toContainEqual({
      ...{ status: 'fail', name: 'credential', seen: 'none', mend: expect.any(String) },
    });
  });

  it('is looked at while its gateway runs, which goes on running', async () => {
    await using gateway = await startGatewayProcess({ env: { CLAUDE_BIN: claude } });
    const { port } = new URL(gateway.url);
    const env = { CLAUDE_BIN: claude, GATEWAY_PORT: port };
    const { about, complaints } = await runDoctor(gateway.dataDir, env);
    expect(about('gateway')).toMatchObject([
      { status: 'pass', seen: expect.stringContaining(`running as process ${gateway.child.pid}`) },
    ]);
    expect(complaints).toEqual(['warn sign-in']);
    const token = await gateway.mint('app');
    expect(await gateway.run(token, { prompt: 'hello' })).toMatchObject({ status: 200 });
    const after = await runDoctor(gateway.dataDir, env);
    expect(after.complaints).toEqual([]);
    expect(after.about('sign-in')).toMatchObject([{ seen: expect.stringContaining('gateway') }]);
    // With another port it is found by its lock.
    const elsewhere = await runDoctor(gateway.dataDir, { CLAUDE_BIN: claude, GATEWAY_PORT: '1' });
    expect(elsewhere.complaints).toEqual(['warn gateway']);
  });

  it('is looked at before its first start, which finds nothing made', async () => {
    const never = join(dataDir, 'not', 'yet');
    const { code, complaints } = await runDoctor(never, { CLAUDE_BIN: claude });
    expect(complaints).toEqual(['warn sign-in']);
    expect(code).toBe(0);
    await expect(stat(join(dataDir, 'not'))).rejects.toThrow('ENOENT');
  });

  it('wrong usage is told apart from something broken', async () => {
    await using script = startNode(['cli/doctor.ts', '--jsn']);
    const { code, stderr } = await script.ended;
    expect(stderr).toContain('--jsn');
    expect(code).toBe(2);
  });
});

type Complaint = { code: number | null; complaints: string[]; mend: string | null | undefined };

async function complaintOf(env: Record<string, string> = {}): Promise<Complaint> {
  const { code, complaints, findings } = await doctor(env);
  return { code, complaints, mend: findings.find(({ status }) => status !== 'pass')?.mend };
}

/** Exactly this one, with this mend. */
function only(complaint: string, mend: RegExp): unknown {
  return {
    ...{ code: complaint.startsWith('fail') ? 1 : 0, complaints: [complaint] },
    mend: expect.stringMatching(mend),
  };
}

describe('what is broken is found, with its mend', () => {
  it('a value of the configuration, all of them at once', async () => {
    const { code, complaints } = await doctor({ SANDBOX: 'maybe', GATEWAY_PORT: 'http' });
    expect(complaints).toEqual(['fail configuration', 'fail configuration', 'warn the rest']);
    expect(code).toBe(1);
  });

  it('a variable that is misspelt', async () => {
    expect(await complaintOf({ GATEWAY_PROT: '80' })).toEqual(
      only('warn configuration', /correct its name/),
    );
  });

  it('a wildcard that was not allowed', async () => {
    const { complaints } = await doctor({ GATEWAY_HOST: '0.0.0.0' });
    expect(complaints).toEqual(['fail configuration', 'warn the rest']);
  });

  it("Docker's gateway among those who may connect", async () => {
    const { about } = await doctor({
      ...{ GATEWAY_HOST: '192.168.7.5', ALLOW_CIDRS: '172.16.0.0/12' },
    });
    // A failure where the test itself runs in a container of that network.
    expect(about('Docker and ALLOW_CIDRS')).toContainEqual({
      ...{ status: expect.stringMatching(/warn|fail/), name: 'Docker and ALLOW_CIDRS' },
      ...{ seen: expect.stringContaining('172.17.0.1'), mend: expect.any(String) },
    });
  });

  it.each([
    ['the data directory', '', 0o755, /chmod 700/],
    ['the runs directory', 'runs', 0o711, /chmod 700/],
    ['the database', 'gateway.db', 0o640, /chmod 600/],
  ])('modes of %s that let others in', async (_what, name, mode, mend) => {
    await chmod(join(dataDir, name), mode);
    expect(await complaintOf()).toEqual(only('fail file modes', mend));
  });

  it('an admin token that others can read', async () => {
    await writeFile(join(dataDir, 'admin-token'), 'cfadmin_x\n', { mode: 0o644 });
    expect(await complaintOf()).toEqual(only('fail file modes', /chmod 600 .*admin-token/));
  });

  it('backups that others can read', async () => {
    await mkdir(join(dataDir, 'backups'), { mode: 0o755 });
    expect(await complaintOf()).toEqual(only('fail file modes', /chmod 700 .*backups/));
  });

  const brokenDatabase = {
    code: 1,
    findings: expect.arrayContaining([
      expect.objectContaining({
        ...{ status: 'fail', name: 'database', mend: expect.stringContaining('backup') },
      }),
    ]),
  };

  it('a database with damaged pages', async () => {
    await using file = await open(join(dataDir, 'gateway.db'), 'r+');
    await file.write(Buffer.alloc(4096, 0x5a), 0, 4096, 2 * 4096);
    await file.close();
    expect(await doctor()).toMatchObject(brokenDatabase);
  });

  it.each([
    ['empty', ''],
    ['something else', 'x'.repeat(8192)],
  ])('a database that is %s', async (_what, content) => {
    await writeFile(join(dataDir, 'gateway.db'), content);
    expect(await doctor()).toMatchObject(brokenDatabase);
  });

  it('an audit row that was changed', async () => {
    change("drop trigger audit_log_no_update; update audit_log set app = 'x' where seq = 2");
    const { complaints, about } = await doctor();
    expect(complaints).toEqual(['fail audit log']);
    expect(about('audit log')[0]?.seen).toContain('broken at row 2');
  });

  it('an audit row of tomorrow', async () => {
    change(
      "drop trigger audit_log_no_update; update audit_log set at = '2099-01-01T00:00:00.000Z' where seq = 2",
    );
    expect((await doctor()).complaints).toContain('fail clock');
  });

  it('a run that was cut off, and its directory', async () => {
    await mkdir(join(dataDir, 'runs', 'run_0123456789abcdefghjkmnpqrs'));
    change("update runs set state = 'running', outcome = null, audit_draft = '{}'");
    const { complaints, about } = await doctor();
    expect(complaints).toEqual(['warn leftovers', 'warn leftovers']);
    expect(about('leftovers')[0]?.mend).toContain('start the gateway');
  });

  it('a process of a run that is over', async () => {
    const runId = change('').prepare<[], { id: string }>('select run_id as id from runs').get()?.id;
    await using left = startNode(['--eval', 'setInterval(() => {}, 1000); console.log("up")'], {
      GATEHOUSE_RUN: runId ?? '',
    });
    await left.said('up');
    const { complaints, about } = await doctor();
    expect(complaints).toEqual(['fail leftovers']);
    expect(about('leftovers')[0]?.mend).toBe(`kill -9 ${left.child.pid}`);
  });

  it('a claude that is missing', async () => {
    expect(await complaintOf({ CLAUDE_BIN: '/nonexistent/claude' })).toEqual(
      only('fail claude', /correct CLAUDE_BIN/),
    );
  });

  it('a claude of another version', async () => {
    expect(
      await complaintOf({
        CLAUDE_BIN: programs.fakeOfVersion('another-claude.ts', '1.0.0'),
      }),
    ).toEqual(only('warn claude', /upgrade:claude/));
  });

  it('no sandbox, unless that was decided', async () => {
    expect(await complaintOf({ PATH: '/nonexistent' })).toEqual(
      only('fail sandbox', /install bubblewrap/),
    );
    expect(await complaintOf({ SANDBOX: 'none' })).toEqual(only('warn sandbox', /SANDBOX=auto/));
  });

  it('a login that ran out, one that others can read, and one that is no login', async () => {
    const withLogin = { ANTHROPIC_API_KEY: '', CLAUDE_CONFIG_DIR: join(dataDir, 'claude') };
    await mkdir(join(dataDir, 'claude'));
    const path = join(dataDir, 'claude', '.credentials.json');
    await writeFile(path, login({ expiresAt: Date.now() - 1000 }), { mode: 0o600 });
    expect(await complaintOf(withLogin)).toEqual(only('fail login expiry', /\/login/));
    const renewable = { expiresAt: Date.now() - 1000, refreshToken: 'neither' };
    await writeFile(path, login(renewable));
    expect(await complaintOf(withLogin)).toEqual(only('warn login expiry', /--probe/));
    await writeFile(path, login({ expiresAt: Date.now() + 3_600_000 }));
    await chmod(path, 0o644);
    expect(await complaintOf(withLogin)).toEqual(only('fail login file', /chmod 600/));
    await writeFile(path, '{}');
    expect(await complaintOf(withLogin)).toEqual(only('fail login', /\/login/));
  });

  it('credentials that are not used, and no secret of any', async () => {
    const { complaints, findings } = await doctor({
      ...{ CLAUDE_CODE_OAUTH_TOKEN: 'oauth-canary', ANTHROPIC_API_KEY: 'key-canary' },
      ANTHROPIC_BASE_URL: 'https://user:password-canary@api.example',
    });
    expect(complaints).toEqual(['warn unused credentials']);
    expect(JSON.stringify(findings)).not.toContain('canary');
    expect(JSON.stringify(findings)).toContain('api.example');
  });

  it('one subscription for several apps', async () => {
    change(
      "insert into apps (name, ip_cidrs, created_at) values ('second', '[]', '2026-01-01T00:00:00.000Z')",
    );
    expect(
      await complaintOf({
        ...{ ANTHROPIC_API_KEY: '', CLAUDE_CODE_OAUTH_TOKEN: 'not-a-real-one' },
      }),
    ).toEqual(only('warn terms of use', /ANTHROPIC_API_KEY/));
  });

  it('a sign-in that failed last', async () => {
    const own = await mkdtemp(join(tmpdir(), 'gatehouse-'));
    {
      await using gateway = await startTestGateway({ dataDir: own, keep: true });
      await gateway.run(await gateway.mint('app'), { prompt: '@@error 401' });
    }
    const { complaints } = await runDoctor(own, { CLAUDE_BIN: claude });
    expect(complaints).toEqual(['fail sign-in']);
    await rm(own, { recursive: true });
  });
});

/** Changes the database as somebody with the file could. */
function change(sql: string) {
  const db = openGatewayDatabase(join(dataDir, 'gateway.db'));
  db.exec(sql);
  return db;
}

function login(fields: Record<string, unknown>): string {
  return JSON.stringify({ claudeAiOauth: { accessToken: 'not-a-real-one', ...fields } });
}
