/** `handover challenge`: a fresh question for the side that received a container. */
import {
  containerOf,
  encodeChallenge,
  newChallenge,
  possessionOf,
} from '#custody/authority/handover-challenge';
import { KEY_WRAPPED, readHandover } from '#custody/authority/handover-statement';
import { toHex } from '#formats/bytes';
import { sha256 } from '#crypto/hash';
import { NegativeError } from '#formats/errors';
import { defineAction } from './action.js';
import { issue } from './handover/state.js';

/** Statements and challenges are small. */
const MAX_STATEMENT_BYTES = 1024 * 1024;

/** `conclave handover challenge`. */
export const handoverChallenge = defineAction({
  id: 'handover.challenge',
  summary: 'ask the side that received a container for a proof',
  description:
    'Makes a fresh challenge that names the container, and with --key the key in it. The far side signs the file as it stands ' +
    'with the imported key; a custodian who can open nothing answers with handover receipt. The challenge is good for one ' +
    'answer and one hand-over, and this home (or session) remembers it.',
  inputs: {
    container: {
      type: 'file',
      summary: 'what was handed over, as conclave wrap wrote it',
      required: true,
    },
    key: { type: 'key', summary: 'the key in it; without it only possession is asked for' },
    statement: {
      type: 'file',
      summary: 'what wrap signed: that this key is in this container',
    },
    days: {
      type: 'integer',
      summary: 'how long the challenge may wait for its answer',
      default: 7,
      min: 1,
      max: 90,
    },
    out: { type: 'path', summary: 'where the challenge goes', required: true },
  },
  outputs: {
    out: { type: 'file', summary: 'the challenge' },
    challenge: { type: 'digest', summary: 'its SHA-256' },
  },
  options: ['force'],
  effect: 'repeatable',
  examples: [
    {
      command:
        'conclave handover challenge --key release --container release.wrapped --out challenge.json',
      explains: 'the far side signs challenge.json with the imported key',
    },
    {
      command: 'conclave handover challenge --container release.wrapped --out proof-please.json',
      explains: 'for a custodian who keeps the container without being able to open it',
    },
  ],
  async run(input, context) {
    const { key, container, statement, days, out } = input;
    context.files.assertAbsent([out]);
    const found = key === undefined ? undefined : await context.keys.find(key);
    const digest = readContainer(container, context);
    if (statement !== undefined) {
      const { said } = readHandover(
        KEY_WRAPPED,
        context.files.read(statement, MAX_STATEMENT_BYTES),
        statement,
      );
      const isSame =
        said.container.sha256 === digest.sha256 &&
        (found === undefined || said.key?.id === found.record.id);
      if (!isSame) {
        throw new NegativeError({
          code: 'E_HANDOVER_STATEMENT',
          message: `${statement} speaks of another ${said.container.sha256 === digest.sha256 ? 'key' : 'container'}`,
          hint: 'give the statement that wrap wrote with this container',
        });
      }
    }
    const { record } = found ?? {};
    const challenge = newChallenge({
      asks: record === undefined ? 'possession' : 'import',
      key:
        record === undefined
          ? null
          : { id: record.id, algorithm: record.algorithm, profile: record.profile },
      container: digest,
      environment: record?.environment ?? context.environment,
      now: context.now(),
      days,
      random: context.random,
    });
    const bytes = encodeChallenge(challenge);
    const id = toHex(sha256(bytes));
    let proof: string | null = null;
    if (challenge.asks === 'possession') {
      using source = context.files.source(container);
      ({ proof } = possessionOf(source, id));
    }
    issue(context, bytes, proof);
    context.files.write(out, bytes);
    context.record({
      type: 'handover.challenged',
      data: {
        challenge: id,
        asks: challenge.asks,
        key: record?.id ?? null,
        container: digest.sha256,
      },
    });
    return {
      out,
      challenge: `sha256:${id}`,
      asks: challenge.asks,
      keyId: record?.id ?? null,
      container: `sha256:${digest.sha256}`,
      expires: challenge.expires,
    };
  },
  present: ({ out, asks, expires }) =>
    asks === 'import'
      ? `challenge in ${out}: let the far side sign it, as it stands, with the imported key before ${expires}`
      : `challenge in ${out}: the holder answers it with conclave handover receipt before ${expires}`,
});

function readContainer(
  path: string,
  context: Parameters<typeof handoverChallenge.run>[1],
): ReturnType<typeof containerOf> {
  using source = context.files.source(path);
  return containerOf(source);
}
