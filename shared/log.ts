import { pino, stdSerializers } from 'pino';
import type { DestinationStream, Logger } from 'pino';

import { isoTime } from './clock.ts';

export type Log = Logger;

export type LogOptions = {
  level: string;
  service: string;
  destination?: DestinationStream;
};

const secretKeys = [
  'authorization',
  'cookie',
  'token',
  'secret',
  'apiKey',
  'adminBootstrapToken',
  'anthropicApiKey',
  'anthropicAuthToken',
  'claudeCodeOauthToken',
];

// A secret may stand behind an escape of JSON or of a URL, whose last character is a letter or digit.
const begins = String.raw`(?:\b|(?<=\\[bfnrt]|\\u[\da-f]{4}|%[\da-f]{2}))`;
const secretForms = [
  String.raw`(?:cf_|cfadmin_|cv_prod_|cv_dev_|cvr_|cvl_|sk-ant-)[\w-]{8,}`,
  // A JWT. Not behind a dash, or a long text of many beginnings would be searched from each.
  String.raw`(?<!-)eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*`,
  String.raw`bearer\s+[\w.~+/=-]+`,
];
const secretValues = new RegExp(secretForms.map((form) => begins + form).join('|'), 'gi');

// JSON leaves these raw: DEL and C1 drive terminals, U+2028/9 break lines, the rest reorder text.
const unsafeCharacters = /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

export function createLog(options: LogOptions): Log {
  return pino(
    {
      level: options.level,
      base: { service: options.service },
      timestamp: () => `,"time":"${isoTime(Date.now())}"`,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: stdSerializers.err },
      redact: {
        paths: secretKeys.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]),
        censor: '[redacted]',
      },
      hooks: { streamWrite: cleanLine },
    },
    options.destination ?? pino.destination({ fd: 1, sync: true }),
  );
}

/** Whether a text looks like one of the secrets that are kept out of the log. */
export function holdsSecret(text: string): boolean {
  return text.search(secretValues) !== -1;
}

function cleanLine(line: string): string {
  return line.replace(secretValues, '[redacted]').replace(unsafeCharacters, escapeCharacter);
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
