/** `doctor`: is everything here that conclave needs, and does its cryptography compute what it should. */
import { allDescriptors } from '#crypto/registry';
import { selfCheck } from '#crypto/self-check';
import { ConclaveError } from '#formats/errors';
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
    'against itself and against a second implementation where Node has one. Whether a machine is offline is told by airgap check.',
  inputs: {
    self: { type: 'boolean', summary: 'also test every algorithm' },
  },
  outputs: { findings: { type: 'report', summary: 'what was looked at, and what was found' } },
  effect: 'none',
  exits: [1],
  only: 'cli',
  examples: [
    { command: 'conclave doctor', explains: 'before the first use on a machine' },
    { command: 'conclave doctor --self --json', explains: 'with self-tests, for a script' },
  ],
  async run({ self }, context): Promise<Health> {
    const findings = [
      ...((await context.diagnose?.()) ?? []),
      clock(context),
      generator(context),
      ...(self === true ? await selfTests(context) : []),
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

async function selfTests(context: ActionContext): Promise<readonly Diagnosis[]> {
  const results: Diagnosis[] = [];
  for (const descriptor of await allDescriptors()) {
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
  return results;
}
