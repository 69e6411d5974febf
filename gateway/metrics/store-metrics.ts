// How much the gateway keeps on its disk.
import { statSync } from 'node:fs';

import { Gauge } from 'prom-client';
import type { Registry } from 'prom-client';

import type { CensusStore } from './census-store.ts';

export function watchStores(
  registry: Registry,
  { databasePath, census }: { databasePath: string; census: CensusStore },
): void {
  const registers = [registry];
  const database: Gauge<'file'> = new Gauge({
    name: 'gatehouse_database_bytes',
    help: 'Size of the database: its main file, and the write-ahead log beside it.',
    labelNames: ['file'],
    registers,
    collect() {
      database.set({ file: 'main' }, sizeOf(databasePath));
      database.set({ file: 'wal' }, sizeOf(`${databasePath}-wal`));
    },
  });
  const files: Gauge = new Gauge({
    name: 'gatehouse_files',
    help: 'Uploaded files that are kept.',
    registers,
    collect() {
      const kept = census.files();
      files.set(kept.files);
      bytes.set(kept.bytes);
    },
  });
  const bytes = new Gauge({
    name: 'gatehouse_files_bytes',
    help: 'Size of the uploaded files that are kept, all together.',
    registers,
  });
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
