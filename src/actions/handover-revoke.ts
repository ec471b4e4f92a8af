/** `handover revoke`: no more wrapping to a key, at once and for good. */
import { signHandover, WRAPPING_KEY_REVOKED } from '#custody/authority/handover-statement';
import { utf8 } from '#formats/bytes';
import { canonicalJson } from '#formats/canonical-json';
import { InterruptedError, RefusedError, UsageError } from '#formats/errors';
import { formatTime } from '#formats/time';
import { defineAction } from './action.js';
import type { ActionContext } from './context/context.js';
import { moveKey } from './context/key-state.js';
import { onceOf } from './handover/state.js';
import { revocationName } from './handover/revoked.js';
import { keyDigest } from './wrapping/key-digest.js';
import { resolveDestination } from './wrapping/target.js';

/** `conclave handover revoke`. */
export const handoverRevoke = defineAction({
  id: 'handover.revoke',
  summary: 'never wrap to a key again, nor open with it',
  description:
    'Revokes a wrapping key, ours or that of somebody else: from now on wrap refuses it and unwrap opens nothing with it. ' +
    'A wrapping key of this store is destroyed as well. It happens at once, is recorded, and cannot be taken back. ' +
    'With --identity and --out a signed statement tells others.',
  inputs: {
    to: {
      type: 'string',
      summary: "the wrapping key: a public key, a provider's document, or sha256:HEX of its SPKI",
      required: true,
      placeholder: 'PUB|sha256:HEX',
    },
    format: { type: 'string', summary: 'form of the document, when it does not tell' },
    reason: { type: 'string', summary: 'why, for the record', required: true, placeholder: 'TEXT' },
    yes: { type: 'boolean', summary: 'do it without asking' },
    out: { type: 'path', summary: 'where a signed statement goes' },
  },
  outputs: { wrappingKey: { type: 'digest', summary: 'the revoked key' } },
  signs: true,
  options: ['identity', 'force'],
  effect: 'irreversible',
  examples: [
    {
      command: 'conclave handover revoke --to transport --reason "laptop lost" --yes',
      explains: 'a wrapping key of this store: revoked and destroyed',
    },
    {
      command:
        'conclave handover revoke --to wrapping-key.json --reason "answer to an old ticket" --yes',
      explains: "a provider's key: refused from now on",
    },
  ],
  async run(input, context) {
    const { to, reason, out } = input;
    if (out !== undefined) context.files.assertAbsent([out]);
    const digest = await digestFor(to, input.format, context);
    const own = await ownKey(digest, context);
    using revoker = await context.identities.open();
    if (out !== undefined && revoker === undefined) {
      throw new UsageError({
        code: 'E_HANDOVER_UNSIGNED',
        message: `nobody is named who signs ${out}`,
        hint: 'say --identity',
      });
    }
    if (input.yes !== true) await assertMeant(digest, own?.name, context);
    const time = formatTime(context.now());
    const once = onceOf(context);
    const name = revocationName(digest);
    const again = once.read(name) !== undefined;
    // First the refusal, then the destruction: whatever happens in between, nothing is wrapped any more.
    if (!again) once.write(name, utf8(`${canonicalJson({ reason, time, wrappingKey: digest })}\n`));
    const isLive = own !== undefined && own.state !== 'destroyed';
    if (isLive) {
      await moveKey(
        { key: own.id, to: 'destroyed', reason: `revoked: ${reason}`, event: 'key.destroyed' },
        (reference, change) => context.keys.destroy(reference, change),
        context,
      );
    }
    if (out !== undefined && revoker !== undefined) {
      const { id, name: by } = revoker.identity;
      const said = { wrappingKey: digest, reason, revoker: { id, name: by }, time };
      const statement = await signHandover(WRAPPING_KEY_REVOKED, said, revoker, {
        random: context.random,
      });
      context.files.write(out, statement);
    }
    context.record({
      type: 'handover.revoked',
      data: { wrappingKey: digest, reason, key: own?.id ?? null, again },
    });
    return {
      wrappingKey: digest,
      destroyed: isLive ? own.id : null,
      again,
      statement: out ?? null,
    };
  },
  present: ({ wrappingKey, destroyed, again }) =>
    `${wrappingKey} ${again ? 'was revoked already' : 'is revoked'}${destroyed === null ? '' : `; key ${destroyed.slice(0, 16)} is destroyed`}`,
});

async function digestFor(
  to: string,
  format: string | undefined,
  context: ActionContext,
): Promise<string> {
  if (/^sha256:[0-9a-f]{64}$/.test(to)) return to;
  const { digests } = await resolveDestination(
    { to: [to], expectTo: [], format, revoked: 'allowed' },
    context,
  );
  return digests[0] as string;
}

/** The key of this store with this digest. */
async function ownKey(
  digest: string,
  context: ActionContext,
): Promise<
  { readonly id: string; readonly name: string | null; readonly state: string } | undefined
> {
  for (const { record, descriptor, publicKey } of await context.keys.list()) {
    if (descriptor.kind === 'symmetric') continue;
    if (keyDigest(descriptor, publicKey) === digest) return record;
  }
  return undefined;
}

async function assertMeant(
  digest: string,
  name: string | null | undefined,
  { ask }: ActionContext,
): Promise<void> {
  const what = name ?? digest.slice(0, 23);
  const answer = await ask.confirm?.(`Revoke the wrapping key ${what}? It cannot be taken back.`);
  if (answer === true) return;
  if (answer === false) {
    throw new InterruptedError({
      code: 'E_HANDOVER_REVOKE_DECLINED',
      message: `wrapping key ${what} was not revoked`,
    });
  }
  throw new RefusedError({
    code: 'E_HANDOVER_REVOKE_UNCONFIRMED',
    message: `revoking ${what} needs a yes, and nobody can be asked`,
    hint: 'say --yes',
  });
}
