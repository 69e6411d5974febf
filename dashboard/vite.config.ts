import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const here = import.meta.dirname;

// The vault serves the page of its own version.
const { version }: { version: string } = JSON.parse(
  readFileSync(join(here, '../package.json'), 'utf8'),
);

export default defineConfig({
  root: here,
  plugins: [react()],
  resolve: {
    alias: { 'typebox/compile': join(here, 'vault/schema-check.ts') },
  },
  define: { PROJECT_VERSION: JSON.stringify(version) },
  build: {
    outDir: join(here, 'dist'),
    emptyOutDir: true,
    target: 'es2023',
    // The policy of the page allows no data: but images, and files are cached for good anyway.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    // A test measures the first load as it comes over the line.
    chunkSizeWarningLimit: 700,
  },
});
