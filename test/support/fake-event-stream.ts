// A reader of events in memory, that reads on or does not, as a test wants.
import type { EventStream } from '#shared/event-stream.ts';

export type FakeEventStream = EventStream & {
  /** Numbers of the events it got, other frames as they are. */
  got: (number | string)[];
  how: () => 'open' | 'ended' | 'destroyed';
  /** Takes nothing more until it is let go. */
  stall: () => void;
  letGo: () => void;
  leave: () => void;
};

export function createFakeEventStream(): FakeEventStream {
  const closed = new AbortController();
  const got: (number | string)[] = [];
  let how: 'open' | 'ended' | 'destroyed' = 'open';
  let queued = 0;
  let taken = 0;
  let stalled: PromiseWithResolvers<void> | null = null;
  const end = (kind: 'ended' | 'destroyed'): void => {
    how = kind;
    closed.abort();
    stalled?.resolve();
  };
  return {
    got,
    how: () => how,
    write(frame) {
      const text = frame.toString();
      const numbers = [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));
      got.push(...(numbers.length > 0 ? numbers : [text.trim()]));
      if (stalled === null) taken += frame.length;
      else queued += frame.length;
    },
    queuedBytes: () => queued,
    takenBytes: () => taken,
    drained: () => stalled?.promise ?? Promise.resolve(),
    end: () => end('ended'),
    destroy: () => end('destroyed'),
    closed: closed.signal,
    left: closed.signal,
    stall: () => (stalled ??= Promise.withResolvers()),
    letGo() {
      taken += queued;
      queued = 0;
      stalled?.resolve();
      stalled = null;
    },
    leave: () => closed.abort(),
  };
}
