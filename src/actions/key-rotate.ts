/** `key rotate`: one key follows another, and both sign that it does. */
import { inCustody } from '#custody/authority/held-by';
import {
  encodeRatifyRotation,
  ratifyReason,
  ratifyReasons,
  signRatifyRotation,
} from '#custody/authority/ratify-rotation';
import type { KeyRecord } from '#custody/authority/record';
import { signKeyRotation } from '#custody/authority/rotation';
import { addHistory, assertUsable, changeState } from '#custody/authority/states';
import { utf8 } from '#formats/bytes';
import { encodeDsse } from '#formats/dsse';
import { UsageError } from '#formats/errors';
import { formatTime } from '#formats/time';
import { defineAction } from './action.js';
import type { OpenKey } from './context/context.js';

/** The word for an owner who takes a key out of a custodian's hands; see `ratifyReason`. */
const SELF_CUSTODY = 'self_custody_upgrade';

/** `conclave key rotate`. */
export const keyRotate = defineAction({
  id: 'key.rotate',
  summary: 'let one key follow another, in a statement that both sign',
  description:
    'Writes a statement that the new key follows the old one, signed by both, so that neither a thief of the old key nor the owner ' +
    'of a new one can claim the succession alone. Their algorithms may differ. The old key is deactivated afterwards, and can ' +
    'still verify; after compromise_suspected it is compromised. With --ratify two keys of the profile ratify-v1 also sign the ' +
    'statement that the Ratify protocol defines.\n' +
    `The reason ${SELF_CUSTODY} is for an owner whose old key was in somebody else's custody: the statement says routine, which ` +
    'is what others understand, keeps the word in its note, and the new key is marked as in its owner’s own custody.',
  inputs: {
    old: { type: 'key', summary: 'the key that is replaced', required: true, positional: 0 },
    new: { type: 'key', summary: 'the key that follows', required: true, positional: 1 },
    reason: {
      type: 'string',
      summary: 'why',
      choices: [...ratifyReasons, SELF_CUSTODY],
      default: 'routine',
    },
    note: { type: 'string', summary: 'more about why, signed with it', placeholder: 'TEXT' },
    out: { type: 'path', summary: 'where the statement goes', required: true },
    ratify: {
      type: 'path',
      summary: 'write here the statement that Ratify defines',
      placeholder: 'FILE',
    },
  },
  outputs: { statement: { type: 'file', summary: 'the statement' } },
  options: ['passphrase', 'force'],
  effect: 'irreversible',
  examples: [
    {
      command: 'conclave key rotate release-2026 release-2027 --out rotation.dsse.json',
      explains: 'check it with conclave verify rotation.dsse.json',
    },
    {
      command:
        'conclave key rotate hosted mine --reason self_custody_upgrade --out upgrade.dsse.json',
      explains: 'from a custodian’s key to one that only its owner has',
    },
  ],
  async run(input, context) {
    const { out, ratify } = input;
    const written = [out, ...(ratify === undefined ? [] : [ratify])];
    context.files.assertAbsent(written);
    const { reason, said } = ratifyReason(input.reason);
    const note = [said === undefined ? '' : input.reason, input.note ?? '']
      .filter((part) => part !== '')
      .join(': ');
    const now = context.now();
    const change = { time: formatTime(now) };
    using old = await context.keys.open(input.old);
    using next = await context.keys.open(input.new);
    for (const { record } of [old, next]) assertUsable(record, 'sign');
    const isUpgrade = input.reason === SELF_CUSTODY;
    // Found out before anything is signed: a record may have no room.
    const follow = (record: KeyRecord): KeyRecord => {
      const followed = addHistory(record, 'follows', { ...change, reason: old.record.id });
      return isUpgrade ? inCustody(followed, 'self', change) : followed;
    };
    follow(next.record);
    const { random } = context;
    const envelope = await signKeyRotation({ old, new: next, reason, note, now }, { random });
    const translated =
      ratify === undefined
        ? undefined
        : encodeRatifyRotation(
            await signRatifyRotation({
              old: ratifyKey(old, input.old),
              new: ratifyKey(next, input.new),
              reason,
              rotatedAt: now,
              random,
            }),
          );
    context.files.write(out, utf8(encodeDsse(envelope)));
    if (ratify !== undefined && translated !== undefined) context.files.write(ratify, translated);
    // The statement is there before the old key stops signing: it could not be made again.
    await context.keys.update(input.new, follow);
    const state = reason === 'compromise_suspected' ? 'compromised' : 'deactivated';
    const { record } = await context.keys.update(input.old, (before) =>
      changeState(before, state, { ...change, reason: `followed by ${next.record.id}` }),
    );
    context.record({
      type: 'key.rotated',
      data: { old: old.record.id, new: next.record.id, reason, note, state: record.state },
    });
    return {
      statement: out,
      ratify: ratify ?? null,
      old: old.record.id,
      new: next.record.id,
      reason,
      note,
      state: record.state,
      said: said ?? null,
    };
  },
  present: ({ statement, old, state, said, ...rest }) =>
    [
      `key ${rest.new.slice(0, 16)} follows ${old.slice(0, 16)}, which is ${state}`,
      `statement written to ${statement}`,
      ...(rest.ratify === null ? [] : [`statement of Ratify written to ${rest.ratify}`]),
      ...(said === null ? [] : [said]),
    ].join('\n'),
});

function ratifyKey(key: OpenKey, name: string): OpenKey {
  if (key.descriptor.profile === 'ratify-v1') return key;
  throw new UsageError({
    code: 'E_ROTATION_RATIFY',
    message: `${name} is no key of Ratify: its profile is ${key.descriptor.profile || 'none'}`,
    hint: 'leave --ratify out, or generate keys with --profile ratify-v1',
  });
}
