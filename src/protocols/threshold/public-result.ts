/**
 * What a session comes to, from what was said in public alone: whoever collects the broadcasts and takes no part computes the
 * group record, or puts the signature together, and names whoever said something wrong.
 */
import { type Group, type GroupRecord, withPublished } from '#crypto/frost/group';
import { toHex } from '#formats/bytes';
import { type Cbor, decodeCbor } from '#formats/cbor';
import { NegativeError } from '#formats/errors';
import type { Echo } from '#protocols/parties/inbox';
import { confirmed, draftRecord, headOver, keptCommitments } from './conclusion.js';
import { bytesIn, checkEchoes, partsOf } from './exchange.js';
import { aggregate, readNonceCommitments, signingKey } from './frost-rounds.js';
import { addedUp } from './pairing-session.js';
import { CONFIRM, readConfirmation } from './proven-opening.js';
import { type Broadcast, publicGroup } from './public-check.js';
import type { Start } from './start-message.js';

/**
 * The record of a new key, or of one whose shares change. Whether everybody acknowledged it is not looked at.
 * @param roster - digest of the roster
 * @throws NegativeError `E_THRESHOLD_CULPRIT`, `E_TRANSCRIPT_INCOMPLETE`
 */
export async function publicRecord(
  start: Start,
  broadcasts: readonly Broadcast[],
  roster: Uint8Array,
): Promise<GroupRecord> {
  const { message } = start;
  const find = finder(broadcasts);
  const made = publicGroup(start, (type, sender) => body(find(1, type, sender)));
  const draft = await draftRecord(start, made);
  const published = new Map(keptCommitments(start, message.receivers));
  for (const number of message.receivers) {
    const said = readConfirmation(start, number, body(find(3, CONFIRM, number)));
    published.set(number, confirmed(said));
  }
  const head = headOver(start, message.receivers, roster, (...slot) => find(...slot).digest);
  return { ...withPublished(draft, published), head: toHex(head) };
}

/**
 * The signature of a session, every share of it checked against the public share of its signer.
 * @throws NegativeError `E_THRESHOLD_CULPRIT`, `E_THRESHOLD_ECHO`, `E_TRANSCRIPT_INCOMPLETE`
 */
export async function publicSignature(
  start: Start,
  broadcasts: readonly Broadcast[],
): Promise<Uint8Array> {
  const { message, suite } = start;
  const group = start.group as Group;
  const find = finder(broadcasts);
  const signers = message.contributors;
  const toSign = message.message ?? new Uint8Array(0);
  if (suite.scheme === 'pairing') {
    const what = 'its signature share';
    const said = signers.map((number): [number, Uint8Array] => [
      number,
      bytesIn(body(find(1, 'signature-share', number)), number, what),
    ]);
    return await addedUp(group, toSign, new Map(said));
  }
  const sent = signers.map((number) => {
    const [hiding, binding] = partsOf(
      body(find(1, 'nonces', number)),
      2,
      number,
      'its nonce commitments',
    );
    return {
      number,
      hiding: bytesIn(hiding, number, 'its nonce commitments'),
      binding: bytesIn(binding, number, 'its nonce commitments'),
    };
  });
  const commitments = readNonceCommitments(sent, suite);
  const shares = new Map<number, Uint8Array>();
  const echoes = new Map<number, Cbor>();
  for (const number of signers) {
    const what = 'its signature share';
    const [z, heard] = partsOf(body(find(2, 'signature-share', number)), 2, number, what);
    shares.set(number, bytesIn(z, number, what));
    echoes.set(number, heard ?? null);
  }
  const echo: Echo = {
    round: 1,
    type: 'nonces',
    heard: signers.map((sender) => ({ sender, digest: find(1, 'nonces', sender).digest })),
  };
  checkEchoes(echo, echoes);
  const key = signingKey(suite, group);
  return aggregate(key, commitments, toSign, shares);
}

function finder(
  broadcasts: readonly Broadcast[],
): (round: number, type: string, sender: number) => Broadcast {
  return (round, type, sender) => {
    const found = broadcasts.find(
      (each) => each.round === round && each.type === type && each.sender === sender,
    );
    if (found !== undefined) return found;
    throw new NegativeError({
      code: 'E_TRANSCRIPT_INCOMPLETE',
      message: `what party ${sender} said in round ${round} is not there`,
    });
  };
}

function body({ body: bytes, sender }: Broadcast): Cbor {
  return decodeCbor(bytes, `message of party ${sender}`, { maxBytes: 64 * 1024, maxDepth: 4 });
}
