/** Proofs of openings as `show` and `verify` know them: complete as they stand, but for which key it is about. */
import { groupSuiteNames, loadSuite, type FrostSuite } from '#crypto/frost/suite';
import { equal, toHex } from '#formats/bytes';
import { InputError } from '#formats/errors';
import {
  decodeOpening,
  looksLikeOpening,
  type OpeningFile,
  verifyOpening,
} from '#protocols/inhead/opening-proof';
import { suiteName } from '#protocols/inhead/trace-file';
import type { ArtifactKind } from './artifact.js';

/** The kind `opening-proof`. */
export const openingProofKind: ArtifactKind = {
  kind: 'opening-proof',
  detect: (bytes) => looksLikeOpening(bytes),
  show: (bytes, name) => {
    const file = decodeOpening(bytes, name);
    return Promise.resolve({
      kind: 'opening-proof',
      suite: suiteName(file.suite),
      share: file.number,
      commitment: toHex(file.commitment),
      publicShare: toHex(file.publicShare),
      context: toHex(file.context),
      repetitions: file.repetitions,
      bytes: bytes.length,
    });
  },
  verify: async (bytes, name) => {
    const file = decodeOpening(bytes, name);
    const { number, context, commitment } = file;
    const suite = await suiteOfFile(file, name);
    const publicShare = suite.group.decode(file.publicShare, `${name}: public share`);
    const verdict = verifyOpening({ suite, context, number, publicShare, commitment }, file);
    const detail = verdict.ok
      ? `share ${number}, ${suite.name}; MPC in the head, ${file.repetitions} repetitions, soundness 2^-128`
      : verdict.reason;
    return {
      ok: verdict.ok,
      kind: 'opening-proof',
      summary: verdict.ok
        ? `proof of the commitment of share ${number}`
        : `the proof does not hold: ${verdict.reason}`,
      claims: [
        {
          claim:
            'its maker knew what the commitment opens to, and that is the share of the public share in it',
          grade: 'proven',
          ok: verdict.ok,
          detail,
        },
        {
          claim: 'which key the share is of',
          grade: 'recorded',
          ok: true,
          detail:
            'the group record names this file by its digest: conclave verify group.json beside it',
        },
      ],
    };
  },
};

async function suiteOfFile({ suite }: OpeningFile, name: string): Promise<FrostSuite> {
  for (const each of groupSuiteNames) {
    const loaded = await loadSuite(each);
    if (equal(loaded.code, suite)) return loaded;
  }
  throw new InputError({
    code: 'E_OPENING_MALFORMED',
    message: `${name} is no proof of an opening: there are no groups of its suite`,
  });
}
