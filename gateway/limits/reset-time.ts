// A reset as the CLI writes it for people, such as `1pm (Europe/Lisbon)` or `Apr 23 at 4pm (America/Recife)`, as an instant. Pure.

type WallTime = { year: number; month: number; day: number; hour: number; minute: number };

const form = new RegExp(
  [
    String.raw`^(?:(?<month>[a-z]{3})[a-z]*\.? (?<day>\d{1,2})(?:,? (?<year>\d{4}))?(?:,| at|,? at)? )?`,
    String.raw`(?<hour>\d{1,2})(?::(?<minute>\d{2}))? ?(?<half>[ap])?\.?(?:m\.?)? \((?<zone>[\w+/-]{1,64})\)`,
  ].join(''),
  'i',
);
const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const dayMs = 24 * 60 * 60_000;
/** The text leaves seconds away and takes its time to get here: what has just passed is not tomorrow's. */
const justPassedMs = 10 * 60_000;

/** The first such time from now on, in epoch milliseconds; null for what names no single instant, as a time without its zone. */
export function parseResetTime(text: string, now: number): number | null {
  const { month, day, year, hour, minute, half, zone } = form.exec(text.trim())?.groups ?? {};
  const clock = clockTime(hour, minute, half);
  const local = zone === undefined ? null : localTimes(zone);
  if (clock === null || local === null) return null;
  const dates = dateCandidates({ month, day, year }, local.at(now));
  if (dates === null) return null;
  const instants = dates.flatMap((date) => local.instantsOf({ ...date, ...clock }));
  const ahead = instants.filter((instant) => instant > now - justPassedMs);
  return ahead.length === 0 ? null : Math.min(...ahead);
}

function clockTime(
  hourText: string | undefined,
  minuteText = '0',
  half: string | undefined,
): { hour: number; minute: number } | null {
  const hour = Number(hourText);
  const minute = Number(minuteText);
  if (!Number.isInteger(hour) || minute > 59) return null;
  if (half === undefined) return hour < 24 ? { hour, minute } : null;
  if (hour < 1 || hour > 12) return null;
  return { hour: (hour % 12) + (half.toLowerCase() === 'p' ? 12 : 0), minute };
}

type CalendarDate = Pick<WallTime, 'year' | 'month' | 'day'>;

function dateCandidates(
  told: { month: string | undefined; day: string | undefined; year: string | undefined },
  today: CalendarDate,
): CalendarDate[] | null {
  if (told.month === undefined) {
    // Without a date it is today or tomorrow, by the calendar there; yesterday has just been at midnight.
    const middle = Date.UTC(today.year, today.month - 1, today.day);
    return [-1, 0, 1].map((days) => calendarDate(new Date(middle + days * dayMs)));
  }
  const month = months.indexOf(told.month.toLowerCase()) + 1;
  const day = Number(told.day);
  if (month === 0 || day < 1 || day > 31) return null;
  const years =
    told.year === undefined ? [today.year - 1, today.year, today.year + 1] : [Number(told.year)];
  return years.map((year) => ({ year, month, day }));
}

function calendarDate(date: Date): CalendarDate {
  return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
}

type LocalTimes = {
  at: (instant: number) => WallTime;
  /** Two in the night in which an hour comes twice. One that the clocks jump over is as much later as they jump. */
  instantsOf: (time: WallTime) => number[];
};

/** Null for a zone that does not exist. */
function localTimes(zone: string): LocalTimes | null {
  const format = formatOf(zone);
  if (format === null) return null;
  const at = (instant: number): WallTime => {
    const parts = new Map(format.formatToParts(instant).map(({ type, value }) => [type, value]));
    const part = (type: Intl.DateTimeFormatPartTypes): number => Number(parts.get(type));
    return {
      ...{ year: part('year'), month: part('month'), day: part('day') },
      ...{ hour: part('hour'), minute: part('minute') },
    };
  };
  const offsetAt = (instant: number): number => {
    const wholeMinutes = Math.floor(instant / 60_000) * 60_000;
    return asUtc(at(wholeMinutes)) - wholeMinutes;
  };
  return {
    at,
    instantsOf(time) {
      const wanted = asUtc(time);
      const [before, after] = [offsetAt(wanted - dayMs), offsetAt(wanted + dayMs)];
      const instants = [...new Set([before, after])].map((offset) => wanted - offset);
      const exact = instants.filter((instant) => asUtc(at(instant)) === wanted);
      return exact.length > 0 ? exact : [wanted - before];
    },
  };
}

function formatOf(zone: string): Intl.DateTimeFormat | null {
  try {
    return new Intl.DateTimeFormat('en-US', {
      ...{ timeZone: zone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric' },
      ...{ hour: 'numeric', minute: 'numeric' },
    });
  } catch {
    return null;
  }
}

function asUtc({ year, month, day, hour, minute }: WallTime): number {
  return Date.UTC(year, month - 1, day, hour, minute);
}
