import { expect, test } from 'vitest';

import { startCheckedGateway } from '../support/leak-check.ts';
import { canMount, mountSmallDisk, needsMount } from '../support/small-disk.ts';

test.skipIf(!canMount)(
  `a RUNS_DIR without execution has the full sandbox${needsMount}`,
  async () => {
    using disk = mountSmallDisk(32, 'mode=0755,noexec');
    await using gateway = await startCheckedGateway({
      env: { SANDBOX: 'require', RUNS_DIR: disk?.path ?? '' },
    });
    expect((await gateway.fetch('/healthz')).body).toMatchObject({ sandbox: 'bwrap' });
    const answer = await gateway.run(await gateway.mint('app'), { prompt: 'hello' });
    expect(answer.body).toMatchObject({ ok: true, result: 'hello' });
  },
);
