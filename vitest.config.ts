import { defineConfig } from 'vitest/config';

/** What is waited for may take its time on a slow machine. */
const patient = { poll: { timeout: 15_000 } };

export default defineConfig({
  test: {
    maxWorkers: 3,
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'] } },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 120_000,
          expect: patient,
        },
      },
      {
        test: {
          name: 'vault',
          include: ['test/vault/**/*.test.ts'],
          globalSetup: ['test/support/shared-postgres.ts'],
          testTimeout: 180_000,
          hookTimeout: 120_000,
          expect: patient,
        },
      },
      {
        test: {
          name: 'loop',
          include: ['test/loop/**/*.test.ts'],
          globalSetup: ['test/support/shared-postgres.ts'],
          testTimeout: 180_000,
          hookTimeout: 120_000,
          expect: patient,
        },
      },
      {
        test: {
          name: 'page',
          include: ['test/page/**/*.test.ts'],
          globalSetup: ['test/support/built-page.ts', 'test/support/shared-postgres.ts'],
          testTimeout: 180_000,
          hookTimeout: 120_000,
          expect: patient,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 120_000,
          expect: patient,
        },
      },
    ],
  },
});
