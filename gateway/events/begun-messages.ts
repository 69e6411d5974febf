// Of a run that is interrupted and done again: the numbers of the messages whose text its readers have and are not to count.
import type { RunEventStore } from './run-event-store.ts';

export function messagesBegun(runSeq: number, events: Pick<RunEventStore, 'after'>): number[] {
  const numbers = new Set<number>();
  for (let seq = 0; ;) {
    const page = events.after(runSeq, seq, 1000, Number.POSITIVE_INFINITY);
    for (const { type, data } of page) {
      const { message, superseded }: { message?: number; superseded?: number[] } = JSON.parse(data);
      if (type.startsWith('message.') && message !== undefined) numbers.add(message);
      for (const number of superseded ?? []) numbers.delete(number);
    }
    seq = page.at(-1)?.seq ?? seq;
    if (page.length === 0) return [...numbers];
  }
}
