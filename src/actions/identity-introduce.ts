/** `identity introduce`: whoever compared an identity says so to others, signed. */
import { INTRODUCED } from '#custody/authority/introduction';
import { signHandover } from '#custody/authority/handover-statement';
import { RefusedError, UsageError } from '#formats/errors';
import { formatTime } from '#formats/time';
import { defineAction } from './action.js';
import { findAnybody, knownIdentities } from './context/known-identities.js';

/** Who was introduced by whom, and where it says so. */
export interface IntroducedIdentity {
  readonly id: string;
  readonly name: string;
  readonly introducer: { readonly id: string; readonly name: string };
  readonly out: string;
}

/** The action `identity introduce`. */
export const identityIntroduce = defineAction({
  id: 'identity.introduce',
  summary: 'vouch to others, signed, for an identity that you compared',
  description:
    'Writes a statement, signed by --identity, that its owner compared the fingerprint of somebody. Only an identity that this home ' +
    'knows as verified can be introduced. Who knows the introducer as verified can take the statement with conclave identity trust ' +
    '--introduction, and knows the identity as introduced.',
  inputs: {
    identity: {
      type: 'public-key',
      summary: 'who is introduced: the public file, its name here, or the beginning of its id',
      required: true,
      positional: 0,
      placeholder: 'IDENTITY',
    },
    out: {
      type: 'path',
      summary: 'where the signed statement goes',
      required: true,
      placeholder: 'FILE',
    },
  },
  outputs: { out: { type: 'path', summary: 'the signed statement' } },
  options: ['identity', 'force'],
  effect: 'repeatable',
  only: 'cli',
  exits: [77],
  examples: [
    {
      command: 'conclave identity introduce bob.pub --identity ada.key --out bob-by-ada.json',
      explains: 'Ada compared the fingerprint with Bob, and tells others',
    },
  ],
  async run({ identity: reference, out }, context): Promise<IntroducedIdentity> {
    context.files.assertAbsent([out]);
    const identity = await findAnybody(reference, context);
    const known = knownIdentities(context).find(({ id }) => id === identity.id);
    if (known?.level !== 'verified' || known.name !== identity.name) {
      throw new RefusedError({
        code: 'E_INTRODUCTION_UNVERIFIED',
        message: `${identity.name} (${reference}) is not known here as verified`,
        hint: 'compare first: conclave identity trust FILE',
      });
    }
    using introducer = await context.identities.open();
    if (introducer === undefined) {
      throw new UsageError({
        code: 'E_INTRODUCTION_UNSIGNED',
        message: 'nobody is named who introduces',
        hint: 'say --identity',
      });
    }
    const by = { id: introducer.identity.id, name: introducer.identity.name };
    const statement = await signHandover(
      INTRODUCED,
      {
        identity: { id: identity.id, name: identity.name },
        environment: identity.environment,
        introducer: by,
        time: formatTime(context.now()),
      },
      introducer,
      { random: context.random },
    );
    context.files.write(out, statement);
    context.record({
      type: 'identity.introduced',
      data: { id: identity.id, name: identity.name, introducer: by },
    });
    return { id: identity.id, name: identity.name, introducer: by, out };
  },
  present: ({ name, introducer, out }) => `${introducer.name} introduces ${name}: ${out}`,
});
