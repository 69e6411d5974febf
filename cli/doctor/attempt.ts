import { fail, messageOf } from './finding.ts';
import type { Finding } from './finding.ts';

/** A check that cannot be made is a finding too, not the end of the others. */
export async function attempt(
  name: string,
  check: () => Promise<Finding[]> | Finding[],
): Promise<Finding[]> {
  try {
    return await check();
  } catch (err) {
    return [
      fail(
        name,
        `could not be looked at: ${messageOf(err)}`,
        "run the doctor as the gateway's user; if it is that one, report this",
      ),
    ];
  }
}
