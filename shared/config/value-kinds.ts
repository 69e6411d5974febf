// How the text of an environment variable becomes a value.
import { canonicalAddress, cidrPrefixLength, isCidr } from '../door/cidr.ts';
import { isHostName } from '../door/host-policy.ts';

export type ValueKind<T> = {
  /** Ends the sentence "it must be …". */
  expected: string;
  /** Undefined when the text is not such a value. */
  parse(text: string): T | undefined;
};

export const flag: ValueKind<boolean> = {
  expected: 'true or false',
  parse: (text) => (text === 'true' ? true : text === 'false' ? false : undefined),
};

export const listenHost: ValueKind<string> = {
  expected: 'localhost or an IP address',
  parse: (text) => (text === 'localhost' ? text : (canonicalAddress(text) ?? undefined)),
};

export const cidr: ValueKind<string> = {
  expected: 'addresses or CIDRs such as 192.168.0.0/24, separated by commas',
  parse: (text) => (isCidr(text) ? text : undefined),
};

export const proxyCidr: ValueKind<string> = {
  expected: `${cidr.expected}, none of them everybody (/0)`,
  parse: (text) => (isCidr(text) && cidrPrefixLength(text) !== 0 ? text : undefined),
};

export const hostName: ValueKind<string> = {
  expected: 'host names without scheme or port, separated by commas',
  parse: (text) => (isHostName(text) ? text.toLowerCase() : undefined),
};

export const anyText: ValueKind<string> = { expected: 'text', parse: (text) => text };

export const credential: ValueKind<string> = {
  expected: 'printable ASCII without spaces',
  parse: (text) => (/^[!-~]+$/.test(text) ? text : undefined),
};

export const adminToken: ValueKind<string> = {
  expected: 'at least 8 characters of printable ASCII without spaces',
  parse: (text) => (/^[!-~]{8,}$/.test(text) ? text : undefined),
};

export const httpUrl: ValueKind<string> = {
  expected: 'an http:// or https:// URL',
  parse: (text) => (/^https?:\/\//i.test(text) && URL.canParse(text) ? text : undefined),
};

export function oneOf<const T extends string>(...values: readonly T[]): ValueKind<T> {
  return {
    expected: `one of ${values.join(', ')}`,
    parse: (text) => values.find((value) => value === text),
  };
}

export function listOf<T>(kind: ValueKind<T>): ValueKind<T[]> {
  return {
    expected: kind.expected,
    parse: (text) => {
      const values = text.split(',').map((entry) => kind.parse(entry.trim()));
      const right = values.filter((value) => value !== undefined);
      return right.length === values.length ? right : undefined;
    },
  };
}

export function integer(min: number, max: number): ValueKind<number> {
  return {
    expected: `a whole number from ${min} to ${max}`,
    parse: (text) => (/^\d{1,15}$/.test(text) ? withinRange(Number(text), min, max) : undefined),
  };
}

const daySecs = 86_400;

/** Milliseconds; a day at most unless said, which every timer can hold. */
export function seconds(min: number, max = daySecs): ValueKind<number> {
  return {
    expected: `a number of seconds from ${min} to ${max}`,
    parse: (text) => scaled(withinRange(decimal(text), min, max), 1000),
  };
}

/** For ages that are looked at now and then, and not slept for. */
export const yearSecs = 366 * 86_400;

/** Bytes. */
export function megabytes(min: number, max: number): ValueKind<number> {
  return {
    expected: `a number of megabytes from ${min} to ${max}`,
    parse: (text) => scaled(withinRange(decimal(text), min, max), 2 ** 20),
  };
}

function decimal(text: string): number {
  return /^\d{1,12}(\.\d{1,9})?$/.test(text) ? Number(text) : Number.NaN;
}

function withinRange(value: number, min: number, max: number): number | undefined {
  return value >= min && value <= max ? value : undefined;
}

function scaled(value: number | undefined, factor: number): number | undefined {
  return value === undefined ? undefined : Math.round(value * factor);
}
