/** What travels in a threshold session: start messages, acceptances and round messages. */
import { sha256 } from '#crypto/hash';
import { toHex } from '#formats/bytes';
import { decodeMessage } from '#protocols/parties/message';
import { decodeStart } from '#protocols/threshold/start-message';
import { verifySessionKeys } from '#custody/authority/session-keys';
import { decodeAcceptance } from '../threshold/certificate.js';
import { factsOf } from '../threshold/phases.js';
import type { ArtifactKind } from './artifact.js';

const HEAD_BYTES = 64 * 1024;

function namesType(bytes: Uint8Array, type: string): boolean {
  return bytes[0] === 0x7b && Buffer.from(bytes).includes(`"type":"conclave/${type}"`);
}

/** The kind `threshold-start`. */
export const thresholdStartKind: ArtifactKind = {
  kind: 'threshold-start',
  detect: (bytes) =>
    namesType(bytes, 'threshold-start') && !namesType(bytes, 'threshold-transcript'),
  show: async (bytes, name) => {
    const start = await decodeStart(bytes, name);
    const { message } = start;
    return {
      kind: 'threshold-start',
      operation: message.operation,
      suite: message.suite,
      session: message.session,
      created: message.created,
      environment: message.environment,
      threshold: message.threshold,
      parties: message.parties.map((party) => ({ ...party })),
      contributors: [...message.contributors],
      receivers: [...message.receivers],
      policy: message.policy,
      key: start.group?.record.key ?? null,
      openings: message.openings ?? 'recorded',
      signs: message.message === null ? null : `sha256:${toHex(sha256(message.message))}`,
      ...(message.prepared === undefined
        ? {}
        : {
            prepared: message.prepared.map(({ number, batch, index }) => ({
              number,
              batch,
              index,
            })),
          }),
      terms: toHex(start.terms),
    };
  },
  verify: async (bytes, name) => {
    const start = await decodeStart(bytes, name);
    return {
      ok: true,
      kind: 'threshold-start',
      summary: factsOf(start)[0] ?? '',
      claims: [
        {
          claim: 'the form is right',
          grade: 'checked',
          ok: true,
          detail: factsOf(start).join('; '),
        },
        {
          claim: 'the parties agreed to it',
          grade: 'recorded',
          ok: true,
          detail:
            start.prepared === undefined
              ? `a start message is not signed: each party accepts it under its terms ${toHex(start.terms)}`
              : `a start message is not signed: each party signs with the nonces that it prepared, under its terms ${toHex(start.terms)}`,
        },
      ],
    };
  },
};

/** The kind `threshold-acceptance`. */
export const thresholdAcceptanceKind: ArtifactKind = {
  kind: 'threshold-acceptance',
  detect: (bytes) =>
    bytes.length <= HEAD_BYTES &&
    namesType(bytes, 'threshold-acceptance') &&
    !namesType(bytes, 'threshold-transcript'),
  show: (bytes, name) => {
    const { terms, identity } = decodeAcceptance(bytes, name);
    return Promise.resolve({
      kind: 'threshold-acceptance',
      terms,
      identity: identity.id,
      name: identity.name,
    });
  },
  verify: async (bytes, name) => {
    const { terms, identity, certificate } = decodeAcceptance(bytes, name);
    const { keys } = await verifySessionKeys(certificate, [identity], name);
    return {
      ok: true,
      kind: 'threshold-acceptance',
      summary: `${identity.name} takes part in ${keys.purpose} as party ${keys.number}`,
      claims: [
        {
          claim: 'the identity in it certifies keys for this session',
          grade: 'attested',
          ok: true,
          detail: `identity ${identity.id}, session ${keys.session}`,
        },
        { claim: 'the start message accepted', grade: 'recorded', ok: true, detail: terms },
      ],
    };
  },
};

/** The kind `round-message`. */
export const roundMessageKind: ArtifactKind = {
  kind: 'round-message',
  detect: (bytes, name) => {
    // A map of nine or ten members whose first is version 1: then the parser decides.
    if ((bytes[0] !== 0xa9 && bytes[0] !== 0xaa) || bytes[1] !== 0 || bytes[2] !== 1) return false;
    try {
      decodeMessage(bytes, name);
      return true;
    } catch {
      return false;
    }
  },
  show: (bytes, name) => {
    const { header, content } = decodeMessage(bytes, name);
    return Promise.resolve({
      kind: 'round-message',
      session: toHex(header.session),
      round: header.round,
      type: header.type,
      sender: header.sender,
      recipient: header.recipient,
      roster: toHex(header.rosterDigest),
      sealed: content.kind === 'private',
      bytes: bytes.length,
    });
  },
  verify: (bytes, name) => {
    const { header } = decodeMessage(bytes, name);
    return Promise.resolve({
      ok: true,
      kind: 'round-message',
      summary: `round ${header.round} of session ${toHex(header.session).slice(0, 8)}, from party ${header.sender}`,
      claims: [
        { claim: 'the form is right', grade: 'checked', ok: true, detail: header.type },
        {
          claim: 'its sender signed it',
          grade: 'recorded',
          ok: true,
          detail: 'session keys are in the acceptances: give it to round, or verify the transcript',
        },
      ],
    });
  },
};
