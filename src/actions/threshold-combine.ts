/** `threshold.combine`: in a ceremony, the signature from the shares of its signers, each checked by itself. */
import { dirname } from 'node:path';
import type { Group } from '#crypto/frost/group';
import { sha256 } from '#crypto/hash';
import { toHex } from '#formats/bytes';
import { publicSignature } from '#protocols/threshold/public-result';
import { defineAction } from './action.js';
import { heardIn, readStartFile } from './threshold/heard.js';
import { assertVerifies } from './threshold/phases.js';

/** The signature. */
export interface CombineResult {
  readonly signature: string;
  readonly signers: readonly string[];
}

export const thresholdCombine = defineAction({
  id: 'threshold.combine',
  summary: 'put a signature together from the shares of a quorum',
  description:
    'Checks every signature share against the public share of its signer, names whoever sent a wrong one, and adds them up. The result ' +
    'is an ordinary signature, checked under the group key before it is written. No secret is needed: anybody who heard all can do it.',
  inputs: {
    start: { type: 'file', summary: 'the start message', required: true },
    out: { type: 'path', summary: 'where the signature goes', default: 'signature' },
  },
  outputs: {
    signature: { type: 'file', summary: 'the signature' },
    signers: { type: 'string', summary: 'who signed', repeat: true },
  },
  effect: 'repeatable',
  only: 'ceremony',
  examples: [],
  run: async ({ start: path, out }, context): Promise<CombineResult> => {
    const start = await readStartFile(path, context);
    const { broadcasts } = await heardIn(start, dirname(path), context);
    const signature = await publicSignature(start, broadcasts);
    await assertVerifies(start, signature);
    context.files.write(out, signature);
    const { message, group } = start;
    context.record({
      type: 'threshold.signed',
      data: {
        id: (group as Group).record.key,
        session: message.session,
        signers: message.contributors.join(','),
        digest: `sha256:${toHex(sha256(message.message ?? new Uint8Array(0)))}`,
      },
    });
    return {
      signature: out,
      signers: message.parties.map(({ number, name }) => `${number} ${name}`),
    };
  },
  present: ({ signature, signers }) => `${signature}, signed by ${signers.join(', ')}`,
});
