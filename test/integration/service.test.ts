import { describe, expect, test } from 'vitest';

import { startScript } from '../support/child-script.ts';
import type { Script } from '../support/child-script.ts';

/** `open` is the body of the function; `say` writes a line. */
function startService(open: string, graceMs = 10_000): Script {
  return startScript(`
    import { writeSync } from 'node:fs';
    import { StartError } from './shared/errors.ts';
    import { createLog } from './shared/log.ts';
    import { runService } from './shared/service.ts';
    const say = (text) => writeSync(1, text + '\\n');
    const forever = () => new Promise(() => {});
    await runService({
      log: createLog({ level: 'info', service: 'test' }),
      graceMs: ${graceMs},
      onForcedExit: () => say('forced'),
      open: async (opened, signal) => {
        opened.adopt('first', (name) => say('released ' + name));
        opened.adopt('second', (name) => say('released ' + name));
        const alive = setInterval(() => {}, 1000);
        opened.defer(() => clearInterval(alive));
        ${open}
        say('open');
      },
    });
  `);
}

const released = (stdout: string): string[] => stdout.match(/released \w+/g) ?? [];

describe('a running service', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)(
    'on %s releases newest first, exit 0',
    async (signal) => {
      await using service = startService('');
      await service.said('open');
      service.child.kill(signal);
      const { code, stdout } = await service.ended;
      expect(released(stdout)).toEqual(['released second', 'released first']);
      expect(stdout).toContain('"msg":"stopped"');
      expect(code).toBe(0);
    },
  );

  test('on a second signal ends at once, exit 1', async () => {
    await using service = startService("opened.defer(() => { say('stuck'); return forever(); });");
    await service.said('open');
    service.child.kill('SIGTERM');
    await service.said('stuck');
    service.child.kill('SIGTERM');
    const { code, stdout } = await service.ended;
    expect(stdout).toContain('forced');
    expect(released(stdout)).toEqual([]);
    expect(code).toBe(1);
  });

  test('ends when the grace is over, exit 1', async () => {
    await using service = startService('opened.defer(forever);', 200);
    await service.said('open');
    service.child.kill('SIGTERM');
    const { code, stdout } = await service.ended;
    expect(stdout).toContain('the grace is over');
    expect(stdout).toContain('forced');
    expect(code).toBe(1);
  });

  test.each([
    ['an uncaught exception', "setTimeout(() => { throw new Error('oops'); }, 0);"],
    ['an unhandled rejection', "setTimeout(() => { Promise.reject(new Error('oops')); }, 0);"],
  ])('on %s logs it once as fatal, releases and exits 1', async (_name, open) => {
    await using service = startService(open);
    const { code, stdout } = await service.ended;
    expect(stdout.match(/"level":"fatal"/g)).toHaveLength(1);
    expect(stdout).toContain('"message":"oops"');
    expect(released(stdout)).toEqual(['released second', 'released first']);
    expect(code).toBe(1);
  });

  test('one thing that cannot be released does not keep the others, exit 1', async () => {
    await using service = startService("opened.defer(() => { throw new Error('jammed'); });");
    await service.said('open');
    service.child.kill('SIGTERM');
    const { code, stdout } = await service.ended;
    expect(stdout).toContain('jammed');
    expect(released(stdout)).toEqual(['released second', 'released first']);
    expect(code).toBe(1);
  });
});

describe('a service that cannot start', () => {
  test('says an expected reason without a stack, releases and exits 1', async () => {
    await using service = startService("throw new StartError('the port 1 is taken');");
    const { code, stdout, stderr } = await service.ended;
    expect(stderr).toBe('the port 1 is taken\n');
    expect(stdout).not.toContain('"stack"');
    expect(released(stdout)).toEqual(['released second', 'released first']);
    expect(code).toBe(1);
  });

  test('logs an unexpected reason with its stack, exit 1', async () => {
    await using service = startService("throw new Error('a bug');");
    const { code, stdout } = await service.ended;
    expect(stdout).toMatch(/"level":"fatal".*"stack":"Error: a bug/);
    expect(released(stdout)).toHaveLength(2);
    expect(code).toBe(1);
  });

  test('can be stopped while it starts, exit 0', async () => {
    await using service = startService(`
      say('starting');
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      signal.throwIfAborted();
    `);
    await service.said('starting');
    service.child.kill('SIGTERM');
    const { code, stdout } = await service.ended;
    expect(released(stdout)).toHaveLength(2);
    expect(code).toBe(0);
  });
});
