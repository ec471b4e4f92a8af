/**
 * The comparison of a fingerprint out of band. What is expected is never on the screen while somebody types what they hear:
 * otherwise it is copied from there, and nothing was compared.
 */
import type { Arrival } from '#carriage/transport/receiver';
import { sha256 } from '#crypto/hash';
import { encodeIdentity, type Identity } from '#custody/authority/identity';
import { equal } from '#formats/bytes';
import { NegativeError, UsageError } from '#formats/errors';
import { bare, groupsOf, isGroups } from '#script/spoken';
import type { ActionContext, Conversation } from '../context/context.js';

/** Wrong answers after which the comparison has failed. */
const ATTEMPTS = 3;
/** Groups that are asked for at a time: eight words, one row of the table that the owner reads from. */
const ROW = 4;

/** Whether what was typed is these groups: digits, words or letters of the radio alphabet. */
function isHeard(typed: string, groups: readonly string[]): boolean {
  return isGroups(typed, groups, 'words') || isGroups(typed, groups, 'nato');
}

/**
 * Compares a fingerprint that was given as a whole.
 * @throws UsageError `E_FINGERPRINT_PART` for a part of one; NegativeError `E_FINGERPRINT_DIFFERS`
 */
export function compareGiven(identity: Identity, typed: string, file: string): void {
  const groups = groupsOf(identity.id);
  if (isHeard(typed, groups)) return;
  const said = bare(typed);
  if (/^[0-9a-f]*$/.test(said) && said.length < identity.id.length) {
    throw new UsageError({
      code: 'E_FINGERPRINT_PART',
      message: `${JSON.stringify(typed)} has ${said.length} digits, and a fingerprint has ${identity.id.length}`,
      hint: 'give the whole of it: a part can be imitated',
    });
  }
  throw differs(identity, file);
}

/**
 * Compares with what the owner says: as it was given, else as somebody here types it.
 * @throws UsageError `E_FINGERPRINT_MISSING` where neither can be; NegativeError `E_FINGERPRINT_DIFFERS`
 */
export async function compareSpoken(
  identity: Identity,
  typed: string | undefined,
  file: string,
  { ask }: Pick<ActionContext, 'ask'>,
): Promise<void> {
  if (typed !== undefined) {
    compareGiven(identity, typed, file);
    return;
  }
  const talk = await ask.converse?.();
  if (talk === undefined) {
    throw new UsageError({
      code: 'E_FINGERPRINT_MISSING',
      message: `the fingerprint of ${file} is to be compared, and nobody can be asked`,
      hint: 'give what its owner said by --fingerprint, or take it uncompared: conclave identity trust --tofu',
    });
  }
  await compareHeard(identity, talk, file);
}

/**
 * Compares with what the owner's screen showed as a code: the digest of the public file, or the file itself. Unlike a
 * fingerprint it covers the name and the date too.
 * @throws UsageError `E_FINGERPRINT_CODE` for a code of something else; NegativeError `E_FINGERPRINT_DIFFERS`
 */
export function compareScanned(
  identity: Identity,
  arrivals: readonly Arrival[],
  file: string,
): void {
  const [shown, ...more] = arrivals;
  if (
    shown === undefined ||
    more.length > 0 ||
    shown.form === 'unverified' ||
    shown.kind !== 'identity'
  ) {
    throw new UsageError({
      code: 'E_FINGERPRINT_CODE',
      message: 'what was scanned is not the one code of a public identity file',
      hint: `have ${identity.name} show it: conclave qr show FILE --digest`,
    });
  }
  const own = encodeIdentity(identity);
  const same =
    shown.form === 'file'
      ? equal(shown.bytes, own)
      : shown.length === own.length && equal(shown.sha256, sha256(own));
  if (!same) throw differs(identity, file, 'shown');
}

/**
 * Has a person type what the owner reads aloud over a second channel.
 * @throws NegativeError `E_FINGERPRINT_DIFFERS` after three wrong answers
 */
export async function compareHeard(
  identity: Identity,
  talk: Conversation,
  file: string,
): Promise<void> {
  talk.say(`${file} says it is the identity of ${identity.name}.`);
  talk.say(
    `Have ${identity.name} read the fingerprint to you, in person or over a line where you know the voice, from ` +
      'their own machine: conclave identity show, the words or the digits. Type what you hear, not what came with the file.',
  );
  await hearFingerprint(identity, talk, file);
}

/**
 * Has a person type a fingerprint as they hear it, row by row or all of it.
 * @param file - how messages name what it is compared with
 * @throws NegativeError `E_FINGERPRINT_DIFFERS` after three wrong answers
 */
export async function hearFingerprint(
  identity: Identity,
  talk: Conversation,
  file: string,
): Promise<void> {
  const groups = groupsOf(identity.id);
  let wrong = 0;
  let at = 0;
  while (at < groups.length) {
    const row = groups.slice(at, at + ROW);
    const question = `Groups ${at + 1} to ${at + row.length} of ${groups.length}, as you hear them:`;
    const typed = await talk.text(question, (text) =>
      bare(text) === '' ? 'Type what you hear: eight words, or the digits.' : undefined,
    );
    if (at === 0 && isHeard(typed, groups)) return;
    if (isHeard(typed, row)) {
      at += row.length;
      continue;
    }
    if (++wrong === ATTEMPTS) throw differs(identity, file);
    const left = ATTEMPTS - wrong;
    talk.say(
      `That is not what ${file} has there. Have it read again, slowly. ` +
        `${left} ${left === 1 ? 'attempt is' : 'attempts are'} left.`,
    );
  }
}

function differs({ name }: Identity, file: string, how = 'heard'): NegativeError {
  return new NegativeError({
    code: 'E_FINGERPRINT_DIFFERS',
    message: `what was ${how} is not the fingerprint of ${file}`,
    hint: `nothing changed here; if ${name} is sure of it, somebody exchanged the file: get it another way`,
  });
}
