/** Challenges of a hand-over: whether one was issued here, and whether it still waits for its answer. */
import {
  CHALLENGE_TYPE,
  challengeId,
  decodeChallenge,
} from '#custody/authority/handover-challenge';
import { onceOf, readAnswered, readIssued } from '../handover/state.js';
import type { ArtifactKind } from './artifact.js';

/** The kind `handover-challenge`. */
export const handoverChallengeKind: ArtifactKind = {
  kind: 'handover-challenge',
  detect: (bytes) =>
    bytes[0] === 0x7b &&
    Buffer.from(bytes.subarray(0, 4096)).includes(`"type":"${CHALLENGE_TYPE}"`),
  show: (bytes, name) =>
    Promise.resolve({ ...decodeChallenge(bytes, name), id: challengeId(bytes) }),
  verify: (bytes, name, context) => {
    const challenge = decodeChallenge(bytes, name);
    const id = challengeId(bytes);
    const issued = context.once !== undefined && readIssued(id, context) !== undefined;
    const answered = issued && readAnswered(id, context) !== undefined;
    const expired = Date.parse(challenge.expires) <= context.now().getTime();
    const state = !issued
      ? 'it was not issued here'
      : answered
        ? 'it was answered'
        : expired
          ? `it expired on ${challenge.expires}`
          : `it waits for its answer until ${challenge.expires}`;
    return Promise.resolve({
      ok: true,
      kind: 'handover-challenge',
      summary: `${challenge.environment === 'production' ? '' : `${challenge.environment}: `}challenge about ${challenge.asks}: ${state}`,
      claims: [
        { claim: 'the form is right', grade: 'checked', ok: true, detail: `sha256:${id}` },
        {
          claim: 'issued here',
          grade: issued ? 'checked' : 'recorded',
          ok: true,
          detail: issued
            ? onceOf(context).location
            : 'by whoever made it; a challenge is not signed',
        },
      ],
    });
  },
};
