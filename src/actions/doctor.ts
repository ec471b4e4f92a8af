/** `doctor`: is everything here that conclave needs, and does its cryptography compute what it should. */
import type { Descriptor } from '#crypto/descriptor';
import { allDescriptors } from '#crypto/registry';
import { selfCheck } from '#crypto/self-check';
import { ConclaveError, UsageError } from '#formats/errors';
import { defineAction } from './action.js';
import type { ActionContext, Diagnosis } from './context/context.js';

/** The answer of `doctor`. */
export interface Health {
  readonly ok: boolean;
  readonly findings: readonly Diagnosis[];
}

/** The action `doctor`. */
export const doctor = defineAction({
  id: 'doctor',
  summary: 'look at this machine and at conclave itself',
  description:
    'Reports the versions of Node and OpenSSL, which optional modules are there and how to get those that are not, the state of the home, ' +
    'the terminal, the clock and the random generator. With --self, makes a throw-away key of every algorithm and checks it ' +
    'against itself and against a second implementation where Node has one; algorithms that take long, such as large RSA keys and ' +
    'the small SLH-DSA signatures, only with --slow. Whether a machine is offline is told by airgap check.',
  inputs: {
    self: { type: 'boolean', summary: 'also test every algorithm that is quick' },
    slow: { type: 'boolean', summary: 'with --self, the slow algorithms too: some minutes' },
  },
  outputs: { findings: { type: 'report', summary: 'what was looked at, and what was found' } },
  effect: 'none',
  exits: [1],
  only: 'cli',
  examples: [
    { command: 'conclave doctor', explains: 'before the first use on a machine' },
    { command: 'conclave doctor --self --json', explains: 'with self-tests, for a script' },
    { command: 'conclave doctor --self --slow', explains: 'with every algorithm there is' },
  ],
  async run({ self, slow }, context): Promise<Health> {
    if (slow === true && self !== true) {
      throw new UsageError({
        code: 'E_OPTION_CONFLICT',
        message: '--slow says which self-tests to run, and none were asked for',
        hint: 'add --self',
      });
    }
    const findings = [
      ...((await context.diagnose?.()) ?? []),
      clock(context),
      generator(context),
      ...(self === true ? await selfTests(context, slow === true) : []),
    ];
    return { ok: findings.every(({ result }) => result !== 'finding'), findings };
  },
  present: ({ ok, findings }) => {
    const width = Math.max(...findings.map(({ subject }) => subject.length));
    return [
      ...findings.flatMap(({ subject, result, detail, advice }) => [
        `${MARKS[result]}  ${subject.padEnd(width)}  ${detail}`,
        ...(advice === undefined ? [] : [`${' '.repeat(width + 9)}${advice}`]),
      ]),
      ok ? 'Nothing stands in the way.' : 'Not everything is as it should be.',
    ].join('\n');
  },
});

const MARKS = { ok: 'ok   ', absent: 'none ', finding: 'WRONG' } as const;

/** No conclave is older than this; a clock before it is wrong, and every signature would carry its time. */
const FIRST_RELEASE = Date.UTC(2026, 0, 1);

function clock({ now }: ActionContext): Diagnosis {
  const time = now();
  const right = time.getTime() > FIRST_RELEASE;
  return {
    subject: 'clock',
    result: right ? 'ok' : 'finding',
    detail: `${time.toISOString().slice(0, 19)}Z`,
    ...(right ? {} : { advice: 'set the clock: this time lies before conclave was made' }),
  };
}

/** Catches a generator that is stuck or disconnected, no more: statistics cannot tell a good one from a bad one. */
function generator({ random }: ActionContext): Diagnosis {
  const samples = Array.from({ length: 4 }, () => random(32).join());
  const fine = new Set(samples).size === samples.length;
  return {
    subject: 'random generator',
    result: fine ? 'ok' : 'finding',
    detail: fine ? "the operating system's, not stuck" : 'it gave the same bytes twice',
    ...(fine ? {} : { advice: 'do not make keys on this machine' }),
  };
}

/** Takes many seconds to make or to use: signatures of many hash trees, and the search for large primes. */
const takesLong = ({ slow, ownEntropy, bits }: Descriptor): boolean =>
  slow === true || (ownEntropy === true && bits > 112);

async function selfTests(context: ActionContext, all: boolean): Promise<readonly Diagnosis[]> {
  const results: Diagnosis[] = [];
  const descriptors = await allDescriptors();
  const left = all ? [] : descriptors.filter(takesLong);
  for (const descriptor of descriptors) {
    if (left.includes(descriptor)) continue;
    const { name, profile } = descriptor;
    const subject = profile === '' ? name : `${name} (${profile})`;
    context.progress(`testing ${subject}`);
    const implementation = await descriptor.load();
    const secret = await implementation.generate(context.random);
    try {
      const { checks } = await selfCheck(descriptor, secret, context.random);
      results.push({ subject, result: 'ok', detail: checks.join('; ') });
    } catch (error) {
      if (!(error instanceof ConclaveError)) throw error;
      results.push({
        subject,
        result: 'finding',
        detail: error.message,
        advice: error.hint ?? 'do not make keys on this machine',
      });
    } finally {
      secret.fill(0);
    }
  }
  if (left.length > 0) {
    results.push({
      subject: 'not tested',
      result: 'absent',
      detail: left.map(({ name }) => name).join(', '),
      advice: 'these take long: add --slow to test them too',
    });
  }
  return results;
}
