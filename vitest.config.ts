import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** What takes longest, longest first, in seconds of a processor that they have for themselves: from 200 down to 30. */
const LONGEST = [
  'faults/kill',
  'ceremony/failing-host',
  'inhead/every-suite',
  'peers/slh-dsa',
  'inhead/scalar',
  'threshold/homes',
  'threshold/homes-codes',
  'threshold/protocol',
  'script/mutation',
  'project/bundle',
  'threshold/sessions',
  'ceremony/threshold',
  'contract/algorithms',
  'actions/every-algorithm',
  'tokens/ceremony',
  'cli/dice',
  'ceremony/threshold-changes',
  'ceremony/cold-sign-threshold',
];

/** The longest first, or the others wait for it at the end. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const place = LONGEST.findIndex((name) => moduleId.endsWith(`test/${name}.test.ts`));
      if (place !== -1) return place;
      const long = /test\/(?:faults|pty|project|ceremony|threshold|inhead)\//.test(moduleId);
      return long ? LONGEST.length : LONGEST.length + 1;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  // Without this condition the package's own `#room/*` imports would resolve to dist, and stale code would be tested.
  ssr: { resolve: { conditions: ['conclave-src'] } },
  test: {
    include: ['test/**/*.test.ts'],
    // For what hangs. A machine that is slow, or has much else to do, is no failure.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    pool: 'forks',
    maxWorkers: 2,
    // Tests that say `concurrent` start processes: there are two cores.
    maxConcurrency: 2,
    sequence: { sequencer: LongestFirst },
  },
});
