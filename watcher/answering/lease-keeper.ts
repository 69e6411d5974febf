// Keeps the claim on a message while it is being answered.
import type { Clock } from '#shared/clock.ts';
import { VaultError } from '#shared/vault-client-error.ts';
import type { VaultClient } from '#shared/vault-client.ts';

export type KeptLease = AsyncDisposable & {
  /** Somebody else may have the message by now. */
  isLost: () => boolean;
};

export function keepLease(
  parts: { vault: Pick<VaultClient, 'renew'>; clock: Clock },
  claim: { eventId: string; fence: number; leaseSecs: number },
): KeptLease {
  const over = new AbortController();
  let isLost = false;
  const renewMs = (claim.leaseSecs * 1000) / 3;
  const run = async (): Promise<void> => {
    while (!over.signal.aborted && !isLost) {
      await parts.clock.sleep(renewMs, over.signal).catch(() => {});
      if (over.signal.aborted) return;
      try {
        const { fence, leaseSecs } = claim;
        await parts.vault.renew(claim.eventId, { fence, leaseSecs, signal: over.signal });
      } catch (err) {
        // A vault that is away for a while may still have it as ours when it is back.
        isLost = err instanceof VaultError && err.status === 409;
      }
    }
  };
  const running = run();
  return {
    isLost: () => isLost,
    async [Symbol.asyncDispose]() {
      over.abort();
      await running;
    },
  };
}
