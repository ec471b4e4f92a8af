import { ConclaveError, InterruptedError, UsageError } from '#formats/errors';
import { defineAction } from './action.js';
import { attested, attestedKey, openAttestor } from './attest/attestor.js';
import type { ActionContext } from './context/context.js';
import { moveKey, presentState } from './context/key-state.js';
import { assertImported } from './handover/after-import.js';

/** `conclave key destroy`. */
export const keyDestroy = defineAction({
  id: 'key.destroy',
  summary: 'destroy a private key for good',
  description:
    'Overwrites and removes the private part of a key; its record stays, with the state destroyed. Copies elsewhere (backups, ' +
    'snapshots, worn blocks of flash memory) are beyond its reach. Nothing brings the key back. What was cut short when the private part ' +
    'was gone already is finished by doing it again.',
  inputs: {
    key: { type: 'key', summary: 'the key', required: true, positional: 0 },
    yes: { type: 'boolean', summary: 'do it without asking' },
    reason: { type: 'string', summary: 'why, for the history', placeholder: 'TEXT' },
    afterImport: {
      type: 'file',
      summary: 'only if this receipt of handover verify shows that the key works elsewhere',
      placeholder: 'RECEIPT',
    },
    signer: {
      type: 'string',
      summary: 'who must have signed the receipt; somebody known here when not given',
      repeat: true,
      placeholder: 'PUB',
    },
  },
  outputs: { state: { type: 'string', summary: 'its state from now on' } },
  options: ['identity', 'attestation'],
  effect: 'irreversible',
  secrecy: 'destroys',
  examples: [
    { command: 'conclave key destroy old', explains: 'asks before it does' },
    {
      command: 'conclave key destroy old --yes --reason "replaced by release"',
      explains: 'for scripts',
    },
    {
      command: 'conclave key destroy release --after-import imported.dsse.json --yes',
      explains: 'refused unless the last hand-over of this key was verified here',
    },
  ],
  async run({ key, yes, reason, afterImport, signer }, context) {
    const { keys } = context;
    const found = (await keys.cutShort?.(key)) ?? (await keys.find(key));
    const { record, device, location: wiped } = found;
    const receipt =
      afterImport === undefined
        ? undefined
        : await assertImported(afterImport, record, signer, context);
    using attestor = await openAttestor(context);
    if (yes !== true) await assertMeant(record.name ?? record.id.slice(0, 16), context);
    const why =
      receipt === undefined
        ? reason
        : `${reason ?? 'imported elsewhere'}; receipt sha256:${receipt}`;
    let copies: readonly string[] = [];
    const change = await moveKey(
      { key, to: 'destroyed', reason: why, event: 'key.destroyed' },
      async (reference, change) => {
        const gone = await context.keys.destroy(reference, change);
        copies = gone.copies ?? [];
        return gone;
      },
      context,
    );
    const remaining = await placesOf(record.id, copies, context);
    const attestation = await attestor?.attest({
      operation: 'destroy',
      key: attestedKey(record),
      device: device ?? null,
      note: why ?? '',
    });
    return { ...change, wiped, remaining, attestation: attestation ?? null };
  },
  present: (change) =>
    `${presentState(change)}${remark(change.remaining)}${attested(change.attestation)}`,
});

/** Copies, and where this home knows the key to rest; null where that could not be told, which undoes no destruction. */
async function placesOf(
  id: string,
  copies: readonly string[],
  { keys }: ActionContext,
): Promise<readonly string[] | null> {
  try {
    const known = (await keys.list()).filter(
      ({ record }) => record.id === id && record.state !== 'destroyed',
    );
    return [...copies, ...known.map(({ location }) => location)];
  } catch (error) {
    if (error instanceof ConclaveError) return null;
    throw error;
  }
}

function remark(remaining: readonly string[] | null): string {
  if (remaining === null)
    return '\nwhether the same key rests elsewhere could not be told: see conclave key list';
  return remaining.map((place) => `\nthe same key is still in ${place}`).join('');
}

async function assertMeant(name: string, { ask }: ActionContext): Promise<void> {
  const answer = await ask.confirm?.(`Destroy the key ${name}? Nothing brings it back.`);
  if (answer === true) return;
  if (answer === false) {
    throw new InterruptedError({
      code: 'E_KEY_DESTROY_DECLINED',
      message: `key ${name} was not destroyed`,
    });
  }
  throw new UsageError({
    code: 'E_KEY_DESTROY_UNCONFIRMED',
    message: `destroying the key ${name} needs a yes, and nobody can be asked`,
    hint: 'say --yes',
  });
}
