// docs/metrics.md against what a gateway really tells.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { parseMetrics, readMetrics } from '../support/metric-samples.ts';
import type { MetricSamples } from '../support/metric-samples.ts';
import { projectDir, startTestGateway } from '../support/test-gateway.ts';

const page = readFileSync(join(projectDir, 'docs/metrics.md'), 'utf8');

type Row = { name: string; type: string; labels: string[] };

const rows: Row[] = [...page.matchAll(/^\| `([a-z0-9_]+)` \| (\w+) \| ([^|]*)\|/gm)].map(
  ([, name = '', type = '', labels = '']) => ({
    ...{ name, type },
    labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label = '']) => label),
  }),
);

async function metricsAtWork(): Promise<MetricSamples> {
  await using gateway = await startTestGateway();
  await gateway.run(await gateway.mint('app'), { prompt: 'hello' });
  return await readMetrics(gateway);
}

test('the page lists every metric with its type, and none that is not there', async () => {
  const { types } = await metricsAtWork();
  const listed = new Map(rows.map(({ name, type }) => [name, type]));
  expect(Object.fromEntries(listed)).toEqual(Object.fromEntries(types));
  expect(listed.size).toBe(rows.length);
});

test('the page names the labels of each metric', async () => {
  const { all, types } = await metricsAtWork();
  const labelsOf = new Map(rows.map(({ name, labels }) => [name, labels.toSorted()]));
  for (const { name, labels } of all) {
    const metric = types.has(name) ? name : name.replace(/_(bucket|sum|count)$/, '');
    const names = Object.keys(labels).filter((label) => label !== 'le');
    expect({ metric, labels: names.toSorted() }).toEqual({ metric, labels: labelsOf.get(metric) });
  }
});

test('every alert is about a metric, and a label of it, that there is', async () => {
  const { all } = await metricsAtWork();
  const alerts = [...page.matchAll(/^ +expr: (.+)$/gm)].map(([, expression = '']) => expression);
  expect(alerts.length).toBeGreaterThanOrEqual(4);
  for (const alert of alerts) {
    const selector = /gatehouse_\w+(?:\{[^}]*\})?/.exec(alert)?.[0] ?? '';
    const [wanted] = parseMetrics(`${selector} 1`).all;
    const found = all.filter(
      ({ name, labels }) =>
        name === wanted?.name &&
        Object.entries(wanted.labels).every(([label, value]) => labels[label] === value),
    );
    expect({ alert, found: found.length > 0 }).toEqual({ alert, found: true });
  }
});

test('every metric of ours says in words what it is, and carries its unit in its name', async () => {
  await using gateway = await startTestGateway();
  const { text } = await gateway.admin('/metrics');
  const helps = [...text.matchAll(/^# HELP (gatehouse_\w+) (.+)$/gm)];
  expect(helps.length).toBe(rows.filter(({ name }) => name.startsWith('gatehouse_')).length);
  for (const [, name = '', help = ''] of helps) {
    expect(help).toMatch(/^[A-Z0-9].{15,}\.$/);
    const type = rows.find((row) => row.name === name)?.type;
    expect(name.endsWith('_total')).toBe(type === 'counter');
  }
});
