/** `handover receipt`: proof that a container lies here, whole, without opening it. */
import { challengeId, decodeChallenge, possessionOf } from '#custody/authority/handover-challenge';
import { RECEIVED, signHandover } from '#custody/authority/handover-statement';
import { sourceOf } from '#formats/byte-stream';
import { MissingInputError, NegativeError, UsageError } from '#formats/errors';
import { formatTime } from '#formats/time';
import { defineAction } from './action.js';
import type { ActionContext } from './context/context.js';
import { onceOf } from './handover/state.js';
import { MAX_STORED_BYTES } from './handover-store.js';

const MAX_CHALLENGE_BYTES = 4096;

/** `conclave handover receipt`. */
export const handoverReceipt = defineAction({
  id: 'handover.receipt',
  summary: 'prove that a container is here, without opening it',
  description:
    'Answers a challenge with a signed statement: the digest of the container and a proof that can be computed only by reading ' +
    'every byte of it now. The container is the one that the challenge names and that handover store keeps, or a file.',
  inputs: {
    challenge: { type: 'file', summary: 'the challenge that the sender made', required: true },
    in: { type: 'file', summary: 'the container as a file; the stored one when not given' },
    out: { type: 'path', summary: 'where the receipt goes', required: true },
  },
  outputs: { receipt: { type: 'file', summary: 'the signed receipt' } },
  signs: true,
  options: ['identity', 'force'],
  effect: 'repeatable',
  examples: [
    {
      command:
        'conclave handover receipt --challenge proof-please.json --identity ben --out receipt.dsse.json',
      explains: 'the sender checks it with handover verify',
    },
  ],
  async run(input, context) {
    const { challenge: path, out } = input;
    context.files.assertAbsent([out]);
    const bytes = context.files.read(path, MAX_CHALLENGE_BYTES);
    const challenge = decodeChallenge(bytes, path);
    const id = challengeId(bytes);
    if (challenge.asks !== 'possession') {
      throw new UsageError({
        code: 'E_CHALLENGE_KIND',
        message: `${path} asks whether a key works, which no receipt can answer`,
        hint: 'sign the file as it stands with the imported key',
      });
    }
    const possession = possess(challenge.container.sha256, id, input.in, context);
    const { sha256, size, proof } = possession;
    if (sha256 !== challenge.container.sha256 || size !== challenge.container.size) {
      throw new NegativeError({
        code: 'E_HANDOVER_CONTAINER',
        message: `${input.in ?? 'the stored container'} is not the one that ${path} asks for`,
        hint: 'it is another container, or it was damaged',
      });
    }
    using holder = await context.identities.open();
    if (holder === undefined) {
      throw new UsageError({
        code: 'E_HANDOVER_UNSIGNED',
        message: 'nobody is named who signs the receipt',
        hint: 'say --identity',
      });
    }
    const said = {
      challenge: id,
      container: { sha256, size },
      proof,
      environment: challenge.environment,
      holder: { id: holder.identity.id, name: holder.identity.name },
      time: formatTime(context.now()),
    };
    const receipt = await signHandover(RECEIVED, said, holder, { random: context.random });
    context.files.write(out, receipt);
    context.record({
      type: 'handover.received',
      data: { challenge: id, container: sha256, holder: holder.identity.id },
    });
    return { receipt: out, container: `sha256:${sha256}`, size, holder: holder.identity.name };
  },
  present: ({ receipt, container, holder }) =>
    `receipt of ${holder} for ${container} written to ${receipt}`,
});

function possess(
  sha256: string,
  id: string,
  path: string | undefined,
  context: ActionContext,
): ReturnType<typeof possessionOf> {
  if (path !== undefined) {
    using source = context.files.source(path);
    return possessionOf(source, id);
  }
  const stored = onceOf(context).read(`containers/${sha256}`, MAX_STORED_BYTES);
  if (stored === undefined) {
    throw new MissingInputError({
      code: 'E_HANDOVER_ABSENT',
      message: `no container sha256:${sha256} is kept here`,
      hint: 'keep it with handover store, or name its file by --in',
    });
  }
  return possessionOf(sourceOf(stored), id);
}
