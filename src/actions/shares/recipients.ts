/** To whom the shares of a new set are sealed: what the command line or the ceremony says, as one recipient per share. */
import { normalisePassphrase } from '#crypto/passphrase-box';
import { components } from '#custody/audit/component-keys';
import { fromUtf8 } from '#formats/bytes';
import { InputError, RefusedError, UsageError } from '#formats/errors';
import { SecretBytes } from '#formats/secret-bytes';
import { indexName, type ShareIndex, type Structure } from '#protocols/sharing/structure';
import type { ActionContext, FileSpace } from '../context/context.js';
import { resolvePublicKey } from '../context/public-keys.js';
import { MAX_PASSPHRASE_BYTES, weaknessOf } from './passphrase.js';
import type { Recipient } from './seal.js';

/** What is reached of a context. */
type Reachable = Pick<ActionContext, 'ask' | 'files' | 'keys' | 'identities'>;

/** What was said about sealing; exactly one of the four. */
export interface SealingInput {
  readonly sealTo: readonly string[];
  readonly sealPassphraseFile: readonly string[];
  readonly unsealed?: boolean | undefined;
  /** A role of the ceremony, one holder for each share. */
  readonly custodians?: string | undefined;
}

/** Recipients of the shares in their order; disposing wipes their passphrases. */
export interface Recipients extends Disposable {
  readonly list: readonly Recipient[];
  /** In one word, for reports. */
  readonly sealed: 'passphrase' | 'identity' | 'both' | 'no';
  /** Passphrases from files that are weak, one phrase each. A script is told, not stopped; see docs/shares.md. */
  readonly weak: readonly string[];
}

/**
 * One recipient per share.
 * @throws {@link UsageError} `E_SEAL_MISSING`, `E_SEAL_TWICE`, `E_SEAL_COUNT`, `E_PASSPHRASE_EMPTY`
 * @throws {@link InputError} `E_SEAL_KEY` for a public key that nothing can be sealed to
 */
export async function chooseRecipients(
  input: SealingInput,
  indices: readonly ShareIndex[],
  structure: Structure,
  context: Reachable,
): Promise<Recipients> {
  const { sealTo, sealPassphraseFile, unsealed, custodians } = input;
  const ways = [
    sealTo.length > 0,
    sealPassphraseFile.length > 0,
    unsealed === true,
    custodians !== undefined,
  ].filter(Boolean).length;
  if (ways !== 1) {
    throw new UsageError({
      code: ways === 0 ? 'E_SEAL_MISSING' : 'E_SEAL_TWICE',
      message:
        ways === 0
          ? 'nothing says to whom the shares are sealed'
          : 'two ways of sealing were given',
      hint: 'say one of --seal-to, --seal-passphrase-file, --unsealed',
    });
  }
  const count = indices.length;
  if (unsealed === true) return recipients(indices.map(() => ({ kind: 'unsealed' })));
  if (sealTo.length > 0) {
    const known: Recipient[] = [];
    for (const reference of sealTo) known.push(await recipientOf(reference, context));
    return recipients(spread(known, count, '--seal-to'));
  }
  if (sealPassphraseFile.length > 0) {
    const known = sealPassphraseFile.map((path): Recipient => {
      return { kind: 'passphrase', passphrase: readPassphraseFile(path, context.files) };
    });
    const weak = known.flatMap((each, i) => {
      const weakness =
        each.kind === 'passphrase' ? each.passphrase.use((bytes) => weaknessOf(bytes)) : undefined;
      return weakness === undefined ? [] : [`${sealPassphraseFile[i] ?? ''}: ${weakness}`];
    });
    return recipients(spread(known, count, '--seal-passphrase-file'), weak);
  }
  return recipients(await custodianRecipients(custodians as string, indices, structure, context));
}

async function custodianRecipients(
  role: string,
  indices: readonly ShareIndex[],
  structure: Structure,
  { ask }: Pick<ActionContext, 'ask'>,
): Promise<Recipient[]> {
  const people = ask.people(role);
  if (people.length !== indices.length) {
    throw new UsageError({
      code: 'E_SEAL_COUNT',
      message: `${indices.length} shares for ${people.length} holders of the role ${role}`,
      hint: 'each custodian holds exactly one share',
    });
  }
  const list: Recipient[] = [];
  try {
    for (const [i, person] of people.entries()) {
      const { name, identity } = person;
      if (identity !== undefined) {
        list.push({ kind: 'identity', xWing: identity.xWing, name });
        continue;
      }
      const seals = `share ${indexName(indices[i] as ShareIndex, structure)} of ${name}`;
      const passphrase = await ask.newPassphrase({ seals, person });
      if (passphrase === undefined) {
        throw new RefusedError({
          code: 'E_SEAL_REFUSED',
          message: `${seals} must be sealed by a passphrase`,
          hint: 'a custodian without an identity seals the share by a passphrase',
        });
      }
      list.push({ kind: 'passphrase', passphrase });
    }
    return list;
  } catch (error) {
    wipe(list);
    throw error;
  }
}

/** One for every share, or one for all. */
function spread(known: readonly Recipient[], count: number, option: string): readonly Recipient[] {
  const [only] = known;
  if (known.length === count) return known;
  if (known.length === 1 && only !== undefined) return Array.from({ length: count }, () => only);
  wipe(known);
  throw new UsageError({
    code: 'E_SEAL_COUNT',
    message: `${option} was given ${known.length} times for ${count} shares`,
    hint: 'give it once for each share in their order, or once for all of them',
  });
}

function recipients(list: readonly Recipient[], weak: readonly string[] = []): Recipients {
  const kinds = new Set(list.map(({ kind }) => kind));
  const [kind] = kinds;
  const sealed = kinds.size > 1 ? 'both' : kind === 'unsealed' || kind === undefined ? 'no' : kind;
  return {
    list,
    sealed,
    weak,
    [Symbol.dispose]: () => {
      wipe(list);
    },
  };
}

function wipe(list: readonly Recipient[]): void {
  for (const each of list) if (each.kind === 'passphrase') each.passphrase.dispose();
}

async function recipientOf(reference: string, context: Reachable): Promise<Recipient> {
  const { descriptor, bytes, identity } = await resolvePublicKey(reference, 'kem', context);
  if (descriptor.name === components.xWing.name) {
    return { kind: 'identity', xWing: bytes, name: identity?.name ?? reference };
  }
  throw new InputError({
    code: 'E_SEAL_KEY',
    message: `${reference} is a key of ${descriptor.name}, to which no share can be sealed`,
    hint: 'give the public file of an identity',
  });
}

/**
 * A passphrase from a file: one final line end removed, NFKC.
 * @returns owned by the caller
 * @throws {@link UsageError} `E_PASSPHRASE_EMPTY`
 */
function readPassphraseFile(path: string, files: FileSpace): SecretBytes {
  const bytes = files.read(path, MAX_PASSPHRASE_BYTES);
  try {
    const text = fromUtf8(bytes, path).replace(/\r?\n$/, '');
    if (text === '') {
      throw new UsageError({
        code: 'E_PASSPHRASE_EMPTY',
        message: `${path} holds an empty passphrase`,
        hint: 'write a passphrase into it',
      });
    }
    return SecretBytes.adopt(normalisePassphrase(text), 'passphrase');
  } finally {
    bytes.fill(0);
  }
}
