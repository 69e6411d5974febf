// When the leases of claims end, on a clock that never jumps: setting the wall clock neither takes a message from whoever answers it
// nor leaves it with somebody who has gone.
import type { Clock } from '#shared/clock.ts';

export type LeaseDeadlines = {
  set: (eventId: string, leaseMs: number) => void;
  forget: (eventId: string) => void;
  isOver: (eventId: string) => boolean;
  /** Of events whose lease is over. */
  over: () => string[];
};

export function createLeaseDeadlines(clock: Pick<Clock, 'monotonicMs'>): LeaseDeadlines {
  const deadlines = new Map<string, number>();
  const isPast = (deadline: number): boolean => clock.monotonicMs() >= deadline;
  return {
    set: (eventId, leaseMs) => void deadlines.set(eventId, clock.monotonicMs() + leaseMs),
    forget: (eventId) => void deadlines.delete(eventId),
    isOver: (eventId) => isPast(deadlines.get(eventId) ?? 0),
    over: () => [...deadlines].filter(([, deadline]) => isPast(deadline)).map(([id]) => id),
  };
}
