// The tables of the limits: how the windows were last seen, and until when the queue is parked.
import { isoTime } from '#shared/clock.ts';
import type { Database } from '#shared/database.ts';

import type { Parking } from './limit-gate.ts';
import type { LimitWindow } from './limit-window.ts';

export type LimitStore = {
  windows: () => LimitWindow[];
  keepWindow: (window: LimitWindow) => void;
  dropWindow: (name: string) => void;
  /** Null also when it was another credential that had reached its limit. */
  parking: (credential: string) => Parking | null;
  /** Null takes it away. */
  keepParking: (parking: Parking | null, credential: string) => void;
};

type WindowRow = {
  name: string;
  status: string | null;
  utilization: number | null;
  resetsAt: string | null;
  seenAt: string;
};
type ParkingRow = {
  until: string;
  since: string;
  window: string | null;
  failedProbes: number;
};

export function createLimitStore(db: Database): LimitStore {
  const windows = db.prepare<[], WindowRow>(
    `select name, status, utilization, resets_at as resetsAt, seen_at as seenAt from limit_windows`,
  );
  const keepWindow = db.prepare<[WindowRow]>(
    `insert into limit_windows (name, status, utilization, resets_at, seen_at)
     values (@name, @status, @utilization, @resetsAt, @seenAt)
     on conflict (name) do update set status = excluded.status, utilization = excluded.utilization,
       resets_at = excluded.resets_at, seen_at = excluded.seen_at`,
  );
  const dropWindow = db.prepare<[string]>('delete from limit_windows where name = ?');
  const parking = db.prepare<[string], ParkingRow>(
    `select parked_until as until, parked_at as since, window_name as window, failed_probes as failedProbes
     from queue_parking where credential = ?`,
  );
  const unpark = db.prepare<[]>('delete from queue_parking');
  const park = db.prepare<[ParkingRow & { credential: string }]>(
    `insert into queue_parking (parking_id, credential, parked_until, parked_at, window_name, failed_probes)
     values (1, @credential, @until, @since, @window, @failedProbes)`,
  );
  return {
    windows: () =>
      windows.all().map(({ resetsAt, seenAt, ...row }) => ({
        ...row,
        resetsAt: resetsAt === null ? null : Date.parse(resetsAt),
        seenAt: Date.parse(seenAt),
      })),
    keepWindow({ resetsAt, seenAt, ...window }) {
      const resets = resetsAt === null ? null : isoTime(resetsAt);
      keepWindow.run({ ...window, resetsAt: resets, seenAt: isoTime(seenAt) });
    },
    dropWindow: (name) => void dropWindow.run(name),
    parking(credential) {
      const row = parking.get(credential);
      if (row === undefined) return null;
      return { ...row, until: Date.parse(row.until), since: Date.parse(row.since) };
    },
    keepParking(kept, credential) {
      unpark.run();
      if (kept === null) return;
      const { until, since, ...rest } = kept;
      park.run({ ...rest, credential, until: isoTime(until), since: isoTime(since) });
    },
  };
}
