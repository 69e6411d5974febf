// The limits as apps and the operator see them.
import { isoTime } from '#shared/clock.ts';
import type { LimitWindowItem, QueueParking } from '#shared/gateway-limit-api.ts';

import type { StartGate } from './start-gate.ts';

export type LimitView = { parked: QueueParking | null; windows: LimitWindowItem[] };

export function viewLimits(gate: Pick<StartGate, 'parking' | 'windows'>): LimitView {
  const parking = gate.parking();
  const parked = parking === null ? null : viewParking(parking);
  const windows = gate.windows().map(({ name, status, utilization, resetsAt, seenAt }) => ({
    ...{ window: name, status, utilization },
    resets_at: resetsAt === null ? null : isoTime(resetsAt),
    seen_at: isoTime(seenAt),
  }));
  return { parked, windows };
}

function viewParking({ until, since, window }: NonNullable<ReturnType<StartGate['parking']>>) {
  return { until: isoTime(until), since: isoTime(since), window };
}
