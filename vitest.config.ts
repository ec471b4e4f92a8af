import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Without this condition the package's own `#room/*` imports would resolve to dist, and stale code would be tested.
  ssr: { resolve: { conditions: ['conclave-src'] } },
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 2,
    // Tests that say `concurrent` start processes: there are two cores.
    maxConcurrency: 2,
  },
});
