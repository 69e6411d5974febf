// Programs that stand in for claude when not even the fake will do, each in a directory of its own.
import { copyFileSync, mkdtempDisposableSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { fakeClaude } from './test-gateway.ts';

export type ProgramDirectory = Disposable & {
  path: string;
  /** A shell script that tells its version and then does as it is written. */
  script: (name: string, commands: string) => string;
  /** The fake CLI under another name. */
  copyOfFake: (name: string) => string;
  /** The fake CLI that says it is another version, put in place in one step. */
  fakeOfVersion: (name: string, version: string) => string;
};

export function createProgramDirectory(): ProgramDirectory {
  const directory = mkdtempDisposableSync(join(tmpdir(), 'gatehouse-programs-'));
  const at = (name: string): string => join(directory.path, name);
  return {
    path: directory.path,
    script(name, commands) {
      const tellVersion = `if [ "$1" = --version ]; then echo '1.2.3 (Stand-in)'; exit; fi`;
      writeFileSync(at(name), `#!/bin/sh\n${tellVersion}\n${commands}\n`, { mode: 0o755 });
      return at(name);
    },
    copyOfFake(name) {
      copyFileSync(fakeClaude, at(name));
      return at(name);
    },
    fakeOfVersion(name, version) {
      const source = readFileSync(fakeClaude, 'utf8').replace(
        '9.9.9 (Claude',
        `${version} (Claude`,
      );
      writeFileSync(at(name), source, { mode: 0o755 });
      return at(name);
    },
    [Symbol.dispose]: () => directory.remove(),
  };
}
