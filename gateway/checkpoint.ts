// The points on the way of a run at which a gateway that is killed has to leave things in order. Nothing happens at them, except
// under a test that kills it there.
export type CheckpointName =
  /** The run and its audit draft are in a transaction that is not committed yet. */
  | 'audit_begun'
  /** Committed; the app has not been told. */
  | 'accepted'
  /** Its process exists, and nothing says so yet. */
  | 'spawned'
  /** The database says so. */
  | 'pid_stored'
  | 'first_event'
  | 'result_seen'
  | 'exit_seen'
  /** The end is committed; nobody has been told. */
  | 'finalised';

export type Checkpoint = (name: CheckpointName) => void;

export function passThrough(): void {}
