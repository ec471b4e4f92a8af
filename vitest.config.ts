import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The longest first, or the others wait for it at the end. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const long = ({ moduleId }: TestSpecification): boolean =>
      /test\/(?:faults|pty|project|ceremony)\//.test(moduleId);
    return [...sorted.filter(long), ...sorted.filter((file) => !long(file))];
  }
}

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
    sequence: { sequencer: LongestFirst },
  },
});
