// What audit:verify tells: 0 the audit log is whole, 1 it is not, 2 it cannot be read.
import type { ChainVerdict } from '#shared/audit-chain.ts';

/** `place` is where the log lies. Gives the exit code. */
export async function reportVerdict(
  verify: () => Promise<{ place: string; verdict: ChainVerdict }>,
): Promise<0 | 1 | 2> {
  try {
    const { place, verdict } = await verify();
    if (!verdict.ok) {
      print(`${place}: broken at row ${verdict.brokenAtSeq}: ${verdict.reason}`);
      print(`${verdict.rows} rows before it are whole`);
      return 1;
    }
    print(`${place}: ${verdict.rows} rows, whole`);
    print(`head: row ${verdict.headSeq}, ${verdict.headHash}`);
    return 0;
  } catch (err) {
    process.stderr.write(`${err instanceof Error ? err.message : String(err)}\n`);
    return 2;
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
