// Tells the vault what was read: not more often than every few seconds, and the newest of each feed only.
import type { PageVault } from '../vault/page-vault.ts';

export type ReadMarks = { put: (agentId: string, seq: number) => void };

const apartMs = 3000;

export function createReadMarks(vault: Pick<PageVault, 'markRead'>): ReadMarks {
  const waiting = new Map<string, number>();
  let timer: ReturnType<typeof setTimeout> | null = null;
  let lastAt = 0;

  const send = (): void => {
    timer = null;
    lastAt = Date.now();
    for (const [agentId, seq] of waiting) {
      // What gets lost is made good by the next one.
      vault.markRead(agentId, seq).catch(() => {});
    }
    waiting.clear();
  };
  return {
    put(agentId, seq) {
      waiting.set(agentId, seq);
      timer ??= setTimeout(send, Math.max(250, lastAt + apartMs - Date.now()));
    },
  };
}
