// What a Prometheus would have read: the samples of /metrics by name and labels.
import { expect } from 'vitest';

import type { GatewayClient } from './gateway-client.ts';

export type MetricSample = { name: string; labels: Record<string, string>; value: number };

export type MetricSamples = {
  /** Of the one series with exactly these labels; undefined when there is none. */
  value: (name: string, labels?: Record<string, string>) => number | undefined;
  all: MetricSample[];
  /** The type of each metric, by its name. */
  types: Map<string, string>;
};

export async function readMetrics(gateway: GatewayClient): Promise<MetricSamples> {
  const answer = await gateway.admin('/metrics');
  expect(answer.status).toBe(200);
  return parseMetrics(answer.text);
}

export function parseMetrics(text: string): MetricSamples {
  const lines = text.split('\n').filter((line) => line !== '');
  const all = lines.filter((line) => !line.startsWith('#')).map(sampleOf);
  return {
    all,
    types: new Map(
      [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type = '']) => [name, type]),
    ),
    value: (name, labels = {}) =>
      all.find((sample) => sample.name === name && isSame(sample.labels, labels))?.value,
  };
}

function sampleOf(line: string): MetricSample {
  const [, name = '', labels = '', value] = /^([a-z0-9_]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
  if (value === undefined) throw new Error(`not a sample: ${line}`);
  const pairs = [...labels.matchAll(/([a-z_]+)="([^"]*)"/g)];
  return {
    name,
    labels: Object.fromEntries(pairs.map(([, label = '', text = '']) => [label, text])),
    value: Number(value),
  };
}

function isSame(one: Record<string, string>, other: Record<string, string>): boolean {
  const names = Object.keys(one);
  return (
    names.length === Object.keys(other).length && names.every((name) => one[name] === other[name])
  );
}
