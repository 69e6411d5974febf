// One claude process over its life: started before it knows a request, asked once or turn after turn, heard until it exits.
import type { Clock } from '#shared/clock.ts';

import { launchCommand } from '../sandbox/launch-command.ts';
import type { ProgramFile } from '../sandbox/program-file.ts';
import type { RunDirectory } from '../sandbox/run-directory-layout.ts';
import type { Sandbox } from '../sandbox/sandbox-tier.ts';
import { startSandboxed } from '../sandbox/sandboxed-process.ts';
import type { ProcessExit, SandboxedProcess } from '../sandbox/sandboxed-process.ts';
import type { WorkspaceMount } from '../sandbox/workspace-mount.ts';
import { claudeArguments } from './claude-arguments.ts';
import type { SpawnProfile } from './claude-arguments.ts';
import { interruptLine, settingLines } from './claude-binding.ts';
import type { ClaudeTask } from './claude-binding.ts';
import { claudeEnvironment } from './claude-environment.ts';
import type { CredentialVariables } from './claude-environment.ts';
import { parseClaudeLine } from './claude-events.ts';
import type { ClaudeEvent } from './claude-events.ts';
import { feedInput } from './input-feed.ts';
import { createLineSplitter } from './line-splitter.ts';
import { userLine, userMessage } from './user-message.ts';

export type ClaudeStart = {
  runId: string;
  sandbox: Sandbox;
  program: ProgramFile;
  directory: RunDirectory;
  profile: SpawnProfile;
  workspace?: WorkspaceMount | null;
  credential: CredentialVariables;
  loginDir: string | null;
  baseUrl: string | null;
  outputBytesMax: number;
};

export type ClaudeListener = {
  onEvent: (event: ClaudeEvent) => void;
  /** More output than allowed; nothing further is read. */
  onTooMuchOutput: () => void;
};

export type ClaudeProcess = {
  /** Of the outermost program around it; null when it could not be started. */
  pid: number | null;
  /** Tells the process what to do. A further turn only after `endTurn`; what holds for the conversation is told with the first. */
  ask: (task: ClaudeTask, listener: ClaudeListener) => void;
  /** The turn has had its result and the process stays: nothing is heard until it is asked again. */
  endTurn: () => void;
  /** Bytes of output of the turn under way, or of the last one. */
  turnBytes: () => number;
  /** Asks for the current turn to end; the process answers with a result. Nothing happens before it has its whole message. */
  interrupt: () => void;
  /** No more input: the process exits when it is done. */
  finish: () => void;
  terminate: () => void;
  kill: () => void;
  exited: Promise<ClaudeExit>;
};

export type ClaudeExit = ProcessExit & {
  /** The output ended without a newline. */
  cutOff: boolean;
  /** Of the last turn. */
  stdoutBytes: number;
  stderrTail: string;
};

/** No line of the protocol comes near it; an answer of 128,000 tokens is half a megabyte. */
const lineBytesMax = 8 * 2 ** 20;

export function prepareClaude(start: ClaudeStart, clock: Clock): ClaudeProcess {
  const command = launchCommand(start.sandbox, {
    program: start.program,
    args: claudeArguments(start.profile),
    directory: start.directory,
    loginDir: start.loginDir,
    workspace: start.workspace ?? null,
  });
  const environment = claudeEnvironment({ ...start, tier: start.sandbox.tier });
  const child = startSandboxed(command, environment, clock);
  let listener: ClaudeListener | null = null;
  let isFirstTurn = true;
  let isInsideMessage = false;
  const output = readOutput(child, start.outputBytesMax, () => listener);

  return {
    pid: child.pid,
    ask(task, listenTo) {
      if (listener !== null) throw new Error('a claude process has one turn at a time');
      listener = listenTo;
      output.beginTurn();
      // It said too much before it was asked anything: nothing more of it is read.
      if (output.isTooMuch()) return listenTo.onTooMuchOutput();
      const settings = isFirstTurn ? settingLines(task) : '';
      isFirstTurn = false;
      if (task.attachments.length === 0) {
        child.stdin.write(`${settings}${userLine(task.prompt)}`);
        return;
      }
      isInsideMessage = true;
      child.stdin.write(settings);
      feedInput(child.stdin, userMessage(task.prompt, task.attachments))
        .then(() => (isInsideMessage = false))
        // A file could not be read: half a message is not to be answered.
        .catch(() => child.kill());
    },
    endTurn: () => void (listener = null),
    turnBytes: output.turnBytes,
    interrupt() {
      if (!isInsideMessage) child.stdin.write(interruptLine());
    },
    finish: () => child.stdin.end(),
    terminate: child.terminate,
    kill: child.kill,
    exited: child.exited.then((exit) => ({
      ...exit,
      ...output.finish(),
      stderrTail: child.stderrTail(),
    })),
  };
}

type TurnOutput = {
  beginTurn: () => void;
  turnBytes: () => number;
  isTooMuch: () => boolean;
  /** After the exit. */
  finish: () => { cutOff: boolean; stdoutBytes: number };
};

function readOutput(
  child: SandboxedProcess,
  outputBytesMax: number,
  listener: () => ClaudeListener | null,
): TurnOutput {
  const splitter = createLineSplitter(Math.min(lineBytesMax, outputBytesMax));
  let stdoutBytes = 0;
  let isTooMuch = false;

  const read = (chunk: Buffer): void => {
    stdoutBytes += chunk.length;
    if (isTooMuch) return;
    try {
      if (stdoutBytes > outputBytesMax) throw new RangeError('too much output');
      for (const line of splitter.push(chunk)) {
        if (line.trim() !== '') listener()?.onEvent(parseClaudeLine(line));
      }
    } catch {
      isTooMuch = true;
      listener()?.onTooMuchOutput();
    }
  };
  child.stdout.on('data', read);
  return {
    beginTurn: () => void (stdoutBytes = 0),
    turnBytes: () => stdoutBytes,
    isTooMuch: () => isTooMuch,
    finish() {
      const rest = splitter.rest();
      // A whole last line without its newline is still a line.
      const event = rest.trim() === '' ? null : parseClaudeLine(rest);
      const cutOff = event?.type === 'garbage';
      if (event !== null && !isTooMuch) listener()?.onEvent(event);
      return { cutOff, stdoutBytes };
    },
  };
}
