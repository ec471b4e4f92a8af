/** Group keys whose shares a test dealt itself, for proofs over scalars. */
import { newOpening, shareCommitment } from '#crypto/frost/commitment';
import {
  contextOf,
  decodeGroup,
  encodeGroup,
  type GroupRecord,
  pointText,
} from '#crypto/frost/group';
import { loadSuite } from '#crypto/frost/suite';
import { keyId } from '#crypto/key-id';
import { sha256 } from '#crypto/hash';
import { randomScalar } from '#crypto/math/prime-group';
import { dealFeldman } from '#crypto/math/vss';
import { resolve } from '#crypto/registry';
import type { ScalarKey } from '#actions/trace/scalar-key';
import { toHex, utf8 } from '#formats/bytes';
import { encodeRequest, type TraceRequest } from '#protocols/inhead/request';
import type { Level } from '#protocols/inhead/level';
import { SecretBytes } from '#formats/secret-bytes';
import type { OpenedScalar } from '#actions/trace/prove-scalars';
import { policyOf } from '#actions/trace/policy';
import { seeded } from './support.js';

/** A dealt key. */
export interface Dealt {
  readonly key: ScalarKey;
  signers(numbers: readonly number[]): OpenedScalar[];
}

/** Deals t of n over a suite, seeded. */
export async function dealtKey(
  name: string,
  threshold: number,
  shares: number,
  label = name,
  policy: string | null = null,
): Promise<Dealt> {
  const suite = await loadSuite(name);
  const random = seeded(`group ${label}`);
  const { group } = suite;
  const dealing = dealFeldman(randomScalar(group, random), { threshold, shares }, group, random);
  const publicKey = dealing.commitments[0] as (typeof dealing.commitments)[number];
  const openings = new Map(
    dealing.shares.map(({ index, value }) => [index, newOpening(value, suite, random)]),
  );
  const descriptor = await resolve(suite.algorithm);
  const draft: GroupRecord = {
    type: 'conclave/group',
    version: 1,
    suite: name,
    key: keyId(descriptor, suite.publicKey(publicKey)),
    environment: 'production',
    threshold,
    ceremony: toHex(random(32)),
    epoch: 1,
    policy,
    publicKey: pointText(publicKey),
    members: dealing.shares.map(({ index, value }) => ({
      number: index,
      identity: toHex(sha256(utf8(`member ${index}`))),
      publicShare: pointText(group.base.multiply(value)),
      commitment: '0'.repeat(64),
    })),
    head: toHex(random(32)),
  };
  const a = contextOf(draft, suite);
  const record: GroupRecord = {
    ...draft,
    members: draft.members.map((member) => {
      const opening = openings.get(member.number) as Uint8Array;
      return { ...member, commitment: toHex(shareCommitment(suite, a, member.number, opening)) };
    }),
  };
  const bytes = encodeGroup(record);
  const decoded = await decodeGroup(bytes, 'group');
  return {
    key: {
      kind: 'scalar',
      name: 'group',
      bytes,
      group: decoded,
      descriptor,
      publicKey: suite.publicKey(decoded.key),
    },
    signers: (numbers) =>
      numbers.map((number) => ({
        name: `share ${number}`,
        number,
        opening: SecretBytes.copyOf(openings.get(number) as Uint8Array, `share ${number}`),
      })),
  };
}

/** A request for a key. */
export function requestFor(
  key: ScalarKey,
  level: Level,
  change: Partial<TraceRequest> = {},
): { request: TraceRequest; requestBytes: Uint8Array } {
  const message = change.message ?? utf8('pay nobody');
  const request: TraceRequest = {
    nonce: seeded(`nonce ${key.name}`)(32),
    message,
    group: sha256(key.bytes),
    level,
    quorum: undefined,
    bind: false,
    policy: policyOf(message),
    expires: undefined,
    ...change,
  };
  return { request, requestBytes: encodeRequest(request) };
}
