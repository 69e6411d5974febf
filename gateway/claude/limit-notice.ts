// What a `rate_limit_event` says of the subscription's windows, whatever the version of the CLI left out or wrote in another unit.
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';

/** How one window stands; a time is in epoch milliseconds. */
export type WindowSighting = {
  name: string;
  status: string | null;
  /** 1 is used up. */
  utilization: number | null;
  resetsAt: number | null;
};

export type LimitNotice = {
  status: string;
  resetsAt: number | null;
  /** The window that the status is about; null where the CLI names none. */
  window: string | null;
  /** Requests are answered all the same, for money. */
  isUsingOverage: boolean;
  windows: WindowSighting[];
};

const unknown = Type.Optional(Type.Unknown());
const notice = Compile(
  Type.Object({
    rate_limit_info: Type.Object({
      status: Type.String(),
      resetsAt: unknown,
      rateLimitType: unknown,
      utilization: unknown,
      isUsingOverage: unknown,
      unifiedWindows: unknown,
    }),
  }),
);
const windowsByName = Compile(Type.Record(Type.String(), Type.Unknown()));
const windowFields = Compile(
  Type.Object({ status: unknown, utilization: unknown, resetsAt: unknown }),
);

/** Null for what is no such event. */
export function parseLimitNotice(line: unknown): LimitNotice | null {
  if (!notice.Check(line)) return null;
  const { status, resetsAt, rateLimitType, utilization, isUsingOverage, unifiedWindows } =
    line.rate_limit_info;
  const window =
    typeof rateLimitType === 'string' && rateLimitType !== ''
      ? rateLimitType.slice(0, nameLengthMax)
      : null;
  const reset = epochMs(resetsAt);
  const windows = sightingsIn(unifiedWindows);
  const own = windows.find(({ name }) => name === window);
  if (own !== undefined) {
    own.status = status;
    own.resetsAt = reset ?? own.resetsAt;
  } else {
    const about = { status, utilization: share(utilization), resetsAt: reset };
    windows.unshift({ name: window ?? unnamedWindow, ...about });
  }
  return { status, resetsAt: reset, window, isUsingOverage: isUsingOverage === true, windows };
}

/** Names come from outside, and readers are told them. */
const nameLengthMax = 100;

/** For a status that names no window. */
export const unnamedWindow = 'unnamed';

function sightingsIn(value: unknown): WindowSighting[] {
  if (!windowsByName.Check(value)) return [];
  return Object.entries(value).flatMap(([name, fields]) => {
    if (!windowFields.Check(fields)) return [];
    const { status, utilization, resetsAt } = fields;
    const told = typeof status === 'string' ? status : null;
    return [{ name, status: told, utilization: share(utilization), resetsAt: epochMs(resetsAt) }];
  });
}

function share(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : null;
}

/** Beyond it there is no date. */
const epochMsMax = 8.64e15;

/** Seconds in every event seen so far, milliseconds in reports of other versions. */
function epochMs(time: unknown): number | null {
  if (typeof time !== 'number' || !Number.isFinite(time) || time <= 0) return null;
  const ms = Math.round(time > 1e11 ? time : time * 1000);
  return ms > epochMsMax ? null : ms;
}
