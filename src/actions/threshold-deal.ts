/** `threshold deal`: one party deals a key to others, each of whom verifies what it is dealt. */
import { keyScalar, suiteForKey } from '#crypto/frost/key-scalar';
import type { Environment } from '#custody/authority/record';
import { RefusedError, UsageError } from '#formats/errors';
import type { SecretBytes } from '#formats/secret-bytes';
import { defineAction } from './action.js';
import type { ActionContext } from './context/context.js';
import { provingAsAsked, start } from './threshold/begin.js';
import { partyField, phaseOutputs, proveOpeningsField, suiteChoices } from './threshold/fields.js';
import type { PhaseResult } from './threshold/phases.js';
import { presentPhase } from './threshold/present-phase.js';
import { proposeDeal } from './threshold/propose.js';

/** A key that is to be dealt. */
interface Existing {
  readonly scalar: SecretBytes;
  readonly suite: string;
  readonly environment: Environment;
}

export const thresholdDeal = defineAction({
  id: 'threshold.deal',
  summary: 'deal a key in shares, as one who knows all of it',
  description:
    'Starts a key generation in which this party alone deals: a new key, or with --key one that exists and keeps its public key. The ' +
    'others join with threshold keygen start --in and go on with round and finish, as this party does; each verifies its share ' +
    'against the commitments of the dealer, who is named if it is wrong, and all acknowledge one record. The start message and the ' +
    'transcript say for ever who dealt: until every copy of the key is destroyed, that party can sign alone. Where nobody needs to know ' +
    'the key, use threshold keygen.',
  inputs: {
    threshold: {
      type: 'integer',
      summary: 'how many of the recipients sign together',
      min: 2,
      max: 255,
      required: true,
      placeholder: 'T',
    },
    party: partyField('public identity file of a recipient, in the order of their numbers'),
    key: {
      type: 'key',
      summary: 'a key that exists, whose dealer is then no recipient; a new one if not given',
    },
    suite: {
      type: 'string',
      summary: 'curve of a new key',
      choices: suiteChoices,
      default: suiteChoices[0] as string,
    },
    policy: { type: 'file', summary: 'policy to bind to the key', placeholder: 'FILE' },
    dev: { type: 'boolean', summary: 'mark a new key as a development key' },
    proveOpenings: proveOpeningsField,
    session: {
      type: 'path',
      summary: 'folder in which the dealer keeps the session until it ends',
      required: true,
      placeholder: 'DIR',
    },
    outDir: {
      type: 'path',
      summary: 'where what is for the others is written',
      default: '.',
      placeholder: 'DIR',
    },
  },
  outputs: phaseOutputs,
  options: ['passphrase', 'identity', 'force'],
  only: 'cli',
  effect: 'repeatable',
  examples: [
    {
      command:
        'conclave threshold deal --key ./old.key --threshold 2 --party ann.pub --party ben.pub --party cem.pub --session deal --identity dora --out-dir out',
      explains: 'Dora deals a key that exists; it keeps its public key and its signatures',
    },
    {
      command:
        'conclave threshold deal --threshold 2 --party ann.pub --party ben.pub --session deal --identity dora --out-dir out',
      explains: 'a new key; then all go on with threshold keygen round and finish',
    },
  ],
  run: async (input, context): Promise<PhaseResult> => {
    const existing = input.key === undefined ? undefined : await openExisting(input.key, context);
    try {
      const suite = existing?.suite ?? input.suite;
      const made: Environment = input.dev === true ? 'dev' : context.environment;
      return await start(
        'keygen',
        { session: input.session, in: [], outDir: input.outDir, policy: input.policy },
        async ({ identity }) => {
          const environment = existing?.environment ?? made;
          const proposal = await proposeDeal({ ...input, suite }, identity, environment, context);
          const [dealer = 0] = proposal.contributors;
          if (existing !== undefined && proposal.receivers.includes(dealer)) throw keepsNothing();
          return provingAsAsked(input, proposal);
        },
        context,
        () => existing?.scalar,
      );
    } finally {
      existing?.scalar.dispose();
    }
  },
  present: presentPhase,
});

async function openExisting(reference: string, context: ActionContext): Promise<Existing> {
  using opened = await context.keys.open(reference);
  const { descriptor, record } = opened;
  const suite = await suiteForKey(descriptor.name);
  if (suite === undefined) {
    throw new RefusedError({
      code: 'E_DEAL_ALGORITHM',
      message: `${reference}: no group can sign as a ${descriptor.name} key does`,
      hint: 'share it with conclave share split, or make a group key with conclave threshold keygen',
    });
  }
  return {
    scalar: await keyScalar(suite, opened.secret),
    suite: suite.name.replace(/^frost-/, ''),
    environment: record.environment,
  };
}

function keepsNothing(): UsageError {
  return new UsageError({
    code: 'E_DEAL_DEALER',
    message: 'whoever deals a key that exists takes no share of it',
    hint: 'leave yourself out of --party: you have, or had, the whole key',
  });
}
