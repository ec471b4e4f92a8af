/** `identity verify`: two people compare an identity, by a code on its owner's screen or by words, and this home records it. */
import type { TrustLevel } from '#custody/audit/trust';
import { fingerprint } from '#custody/authority/identity';
import { UnavailableError, UsageError } from '#formats/errors';
import { defineAction } from './action.js';
import type { ActionContext } from './context/context.js';
import { findAnybody, knownIdentities } from './context/known-identities.js';
import { compareScanned, compareSpoken } from './identity/compare.js';
import { changedField, somebodyField } from './identity/fields.js';
import { assertNotOwn, orRecordFailure, priorOf, recordLevel } from './identity/level.js';
import { collectArrivals } from './qr/collect.js';
import { type SourceInput, sourceOf } from './qr/source.js';

/** An identity that was compared and is the one that its owner has. */
export interface VerifiedIdentity {
  readonly ok: true;
  readonly id: string;
  readonly name: string;
  readonly fingerprint: string;
  readonly level: TrustLevel;
  /** Before; null for somebody new. */
  readonly was: TrustLevel | null;
  /** By a code that the owner showed, or by the fingerprint as the owner said it. */
  readonly by: 'code' | 'fingerprint';
  /** The identity of the same name that this one takes the place of. */
  readonly replaces: string | null;
}

/** The action `identity verify`. */
export const identityVerify = defineAction({
  id: 'identity.verify',
  summary: 'compare an identity with its owner, by code or by words',
  description:
    'Compares a public file with what its owner shows or says, and records the level verified in the log of this home. In one room the ' +
    'owner shows a code on their own screen, conclave qr show FILE --digest, and it is scanned here: --camera, --scanner, or a ' +
    'photograph of that screen, --image. The code covers the name too. Otherwise the fingerprint is typed here as the owner reads ' +
    'it aloud. A code that came the same way as the file compares nothing. When they differ, nothing changes, the log of a home that is there says so, and ' +
    'the exit code is 1. Both of you do it, each for the other.',
  inputs: {
    identity: somebodyField,
    camera: { type: 'boolean', summary: "scan the owner's screen by a camera" },
    device: {
      type: 'string',
      summary: 'the camera, /dev/video0 if not given',
      placeholder: 'DEVICE',
    },
    scanner: {
      type: 'boolean',
      summary: 'read what a scanner types at the terminal until Ctrl-D',
    },
    image: {
      type: 'file',
      summary: "photograph of the owner's screen",
      repeat: true,
      placeholder: 'FILE',
    },
    text: { type: 'file', summary: 'text of the code, as a scanner wrote it', placeholder: 'FILE' },
    fingerprint: {
      type: 'string',
      summary: 'the whole fingerprint as its owner said it, digits or words',
      placeholder: 'TEXT',
    },
    changed: changedField,
  },
  outputs: {
    ok: { type: 'verdict', summary: 'whether it is the identity that its owner has' },
    level: { type: 'string', summary: 'verified' },
  },
  effect: 'repeatable',
  only: 'cli',
  exits: [1, 69, 75, 77],
  examples: [
    {
      command: 'conclave identity verify bob.pub --camera',
      explains: 'Bob shows the code: conclave qr show bob.key.pub --digest',
    },
    {
      command: 'conclave identity verify bob.pub',
      explains: 'Bob reads his fingerprint aloud on the telephone; you type it',
    },
  ],
  async run(input, context): Promise<VerifiedIdentity> {
    const identity = await findAnybody(input.identity, context);
    await assertNotOwn(identity, context);
    const before = priorOf(identity, knownIdentities(context), input.changed === true);
    const scanned = isScanned(input);
    if (scanned && input.fingerprint !== undefined) {
      throw new UsageError({
        code: 'E_VERIFY_WAYS',
        message: '--fingerprint and a code cannot go together',
        hint: 'say one of them',
      });
    }
    await orRecordFailure(identity, context, () =>
      scanned
        ? scan(input, context).then((arrivals) => {
            compareScanned(identity, arrivals, input.identity);
          })
        : compareSpoken(identity, input.fingerprint, input.identity, context),
    );
    const found = { level: 'verified', how: 'comparison', introduced: null } as const;
    const { level } = recordLevel(identity, before, found, context);
    return {
      ok: true,
      id: identity.id,
      name: identity.name,
      fingerprint: fingerprint(identity),
      level,
      was: before.was,
      by: scanned ? 'code' : 'fingerprint',
      replaces: before.replaces,
    };
  },
  present: ({ id, name, level, was, by, replaces }) =>
    [
      `${name}: ${level}${was === null || was === level ? '' : ` (was ${was})`}, compared by ${by}`,
      ...(replaces === null
        ? []
        : [`ALARM: the key of ${name} changed; ${replaces.slice(0, 16)} counts no more`]),
      `identity ${id.slice(0, 16)}; now ${name} compares yours`,
    ].join('\n'),
});

function isScanned({ image, camera, scanner, text }: SourceInput): boolean {
  return image.length > 0 || camera === true || scanner === true || text !== undefined;
}

async function scan(input: SourceInput, context: ActionContext) {
  const space = await context.scan?.();
  if (space === undefined)
    throw new UnavailableError({ code: 'E_SCAN_NONE', message: 'nothing can be scanned here' });
  const { codes, live, from } = sourceOf(input, space, context);
  return collectArrivals(codes, { scan: space, live, count: live ? 1 : undefined, from });
}
