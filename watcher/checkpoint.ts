// The points on the way of a message at which a watcher that is killed has to leave things in order. Nothing happens at them, except
// under a test that kills it there.
export type CheckpointName =
  | 'fetched'
  | 'event_stored'
  | 'cursor_moved'
  | 'claimed'
  | 'run_started'
  | 'run_ended'
  | 'answer_stored'
  | 'posting_marked'
  | 'post_sent'
  | 'post_acked'
  | 'posted';

export type Checkpoint = (name: CheckpointName) => void;

export function passThrough(): void {}
