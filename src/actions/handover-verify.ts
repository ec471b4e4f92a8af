/** `handover verify`: whether the far side's answer holds; only then a receipt that lets the local copy be destroyed. */
import { sha256 } from '#crypto/hash';
import {
  type ImportedStatement,
  KEY_IMPORTED,
  readHandover,
  RECEIVED,
  signHandover,
} from '#custody/authority/handover-statement';
import type { OpenIdentity } from '#custody/authority/identity';
import { toHex } from '#formats/bytes';
import { NegativeError, TryAgainError, UsageError } from '#formats/errors';
import { formatTime } from '#formats/time';
import { defineAction } from './action.js';
import type { ActionContext } from './context/context.js';
import { checkAnswer } from './handover/proof.js';
import { assertSigned } from './handover/signed.js';
import { answerDigest, answered, type Issued, issuedChallenge } from './handover/state.js';

const MAX_FILE_BYTES = 1024 * 1024;

/** What was verified. */
interface Verified {
  readonly ok: true;
  readonly asks: 'import' | 'possession';
  readonly receipt: string;
  readonly challenge: string;
  readonly container: string;
  readonly keyId: string | null;
  readonly proof: string;
  /** Who answered or checked. */
  readonly by: string;
  readonly summary: string;
}

/** `conclave handover verify`. */
export const handoverVerify = defineAction({
  id: 'handover.verify',
  summary: 'check that a key arrived and works, before the local copy goes',
  description:
    'Checks the answer to a challenge of this home. For an import: the far side shows the same public key (what its GetPublicKey ' +
    'answers) and has signed the challenge with it; a secret key shows itself by a MAC over the challenge, or by a ciphertext of it. ' +
    'For a custodian: the receipt is signed, and proves that every byte of the container was read. ' +
    'An answer that holds uses the challenge up and yields a signed receipt; key destroy --after-import demands it. ' +
    'The answers of AWS, Google, Azure, Vault and OpenBao are read as their command lines print them, and bare files too.',
  inputs: {
    challenge: { type: 'file', summary: 'the challenge, as it was made here', required: true },
    key: { type: 'key', summary: 'the key that was handed over' },
    public: {
      type: 'path',
      summary: "the far side's public key: its answer to GetPublicKey, or a key file",
      placeholder: 'FILE',
    },
    answer: {
      type: 'path',
      summary: "the far side's signature, MAC or ciphertext; a custodian's receipt",
      required: true,
      placeholder: 'FILE',
    },
    hash: { type: 'string', summary: 'the hash of the signature, if it does not say so' },
    padding: {
      type: 'string',
      summary: 'the padding of an RSA signature',
      choices: ['pss', 'pkcs1'],
    },
    signer: {
      type: 'string',
      summary: 'the custodian who must have signed the receipt',
      repeat: true,
      placeholder: 'PUB',
    },
    out: { type: 'path', summary: 'where the signed receipt goes', required: true },
  },
  outputs: {
    receipt: { type: 'file', summary: 'the signed receipt' },
    verdict: { type: 'verdict', summary: 'whether the answer holds' },
  },
  signs: true,
  options: ['passphrase', 'identity', 'force'],
  effect: 'repeatable',
  exits: [75],
  examples: [
    {
      command:
        'conclave handover verify --challenge challenge.json --key release --public public-key.json --answer signature.json --identity ada --out imported.dsse.json',
      explains: 'then: conclave key destroy release --after-import imported.dsse.json',
    },
    {
      command:
        'conclave handover verify --challenge proof-please.json --answer receipt.dsse.json --signer ben.pub --identity ada --out held.dsse.json',
      explains: 'a custodian holds the container',
    },
  ],
  async run(input, context): Promise<Verified & { verdict: { ok: true; summary: string } }> {
    const { challenge: path, out } = input;
    context.files.assertAbsent([out]);
    const missing = [input.public, input.answer].find(
      (each) => each !== undefined && !context.files.exists(each),
    );
    if (missing !== undefined) {
      throw new TryAgainError({
        code: 'E_HANDOVER_UNANSWERED',
        message: `the answer of the far side is not there yet: ${missing}`,
        hint: 'bring it, and go on; nothing was destroyed',
      });
    }
    const issued = issuedChallenge(context.files.read(path, MAX_FILE_BYTES), path, context);
    const verified =
      issued.challenge.asks === 'import'
        ? await verifyImport(issued, input, context)
        : await verifyPossession(issued, input, context);
    const { summary } = verified;
    return { ...verified, verdict: { ok: true, summary } };
  },
  present: ({ summary, receipt, asks }) =>
    asks === 'import'
      ? `OK: ${summary}\nreceipt in ${receipt}: the local copy may be destroyed with --after-import`
      : `OK: ${summary}\nverified receipt in ${receipt}`,
});

type Input = Parameters<typeof handoverVerify.run>[0];

async function verifyImport(
  issued: Issued,
  input: Input,
  context: ActionContext,
): Promise<Verified> {
  const { challenge, bytes, id } = issued;
  const { key: reference, answer, out } = input;
  if (reference === undefined || challenge.key === null) {
    throw new UsageError({
      code: 'E_HANDOVER_KEY_MISSING',
      message: 'the key that was handed over is not named',
      hint: 'give it by --key',
    });
  }
  const found = await context.keys.find(reference);
  if (found.record.id !== challenge.key.id) {
    throw new NegativeError({
      code: 'E_HANDOVER_KEY',
      message: `${input.challenge} is about another key than ${reference}`,
      hint: 'give the challenge that was made for this key',
    });
  }
  using verifier = await signerOf(context);
  const proof = await checkAnswer(
    { reference, found },
    bytes,
    { publicKey: input.public, answer, hash: input.hash, padding: input.padding },
    context,
  );
  const { kind } = proof;
  const digest = answerDigest([
    proof.answer,
    ...(proof.publicKey === undefined ? [] : [proof.publicKey]),
  ]);
  const said: ImportedStatement = {
    challenge: id,
    key: challenge.key,
    container: challenge.container,
    proof: {
      kind,
      answer: toHex(sha256(proof.answer)),
      publicKey: proof.publicKey === undefined ? null : toHex(sha256(proof.publicKey)),
    },
    environment: challenge.environment,
    verifier: { id: verifier.identity.id, name: verifier.identity.name },
    time: formatTime(context.now()),
  };
  const { receipt } = await answered(
    id,
    digest,
    () => signHandover(KEY_IMPORTED, said, verifier, { random: context.random }),
    context,
  );
  context.files.write(out, receipt);
  context.record({
    type: 'handover.verified',
    data: {
      challenge: id,
      asks: 'import',
      key: found.record.id,
      container: challenge.container.sha256,
      proof: kind,
      receipt: toHex(sha256(receipt)),
    },
  });
  return {
    ok: true,
    asks: 'import',
    receipt: out,
    challenge: `sha256:${id}`,
    container: `sha256:${challenge.container.sha256}`,
    keyId: found.record.id,
    proof: kind,
    by: verifier.identity.name,
    summary: `${found.descriptor.name} key ${found.record.name ?? found.record.id.slice(0, 16)} works on the far side (${kind} over this challenge)`,
  };
}

async function verifyPossession(
  issued: Issued,
  input: Input,
  context: ActionContext,
): Promise<Verified> {
  const { challenge, id, proof } = issued;
  const { answer, out } = input;
  if (input.signer.length === 0) {
    throw new UsageError({
      code: 'E_HANDOVER_SIGNER',
      message: 'nobody is named who must have signed the receipt',
      hint: 'give the custodian by --signer PUB',
    });
  }
  const bytes = context.files.read(answer, MAX_FILE_BYTES);
  const read = readHandover(RECEIVED, bytes, answer);
  const { said } = read;
  const holder = await assertSigned(read, said.holder.id, input.signer, answer, context);
  const holds =
    said.challenge === id &&
    said.container.sha256 === challenge.container.sha256 &&
    said.container.size === challenge.container.size &&
    said.proof === proof;
  if (!holds) {
    throw new NegativeError({
      code: 'E_HANDOVER_PROOF',
      message: `${answer} does not prove that ${holder.name} holds this container`,
      hint:
        said.challenge === id
          ? 'the container there is another one, or damaged'
          : 'it answers another challenge; an old receipt proves nothing about today',
    });
  }
  const { receipt } = await answered(
    id,
    answerDigest([bytes]),
    () => Promise.resolve(bytes),
    context,
  );
  context.files.write(out, receipt);
  context.record({
    type: 'handover.verified',
    data: {
      challenge: id,
      asks: 'possession',
      key: null,
      container: challenge.container.sha256,
      proof: 'possession',
      receipt: toHex(sha256(receipt)),
    },
  });
  return {
    ok: true,
    asks: 'possession',
    receipt: out,
    challenge: `sha256:${id}`,
    container: `sha256:${challenge.container.sha256}`,
    keyId: null,
    proof: 'possession',
    by: holder.name,
    summary: `${holder.name} holds all ${challenge.container.size} bytes of the container`,
  };
}

/** Whoever checks an import signs for it. */
async function signerOf(context: ActionContext): Promise<OpenIdentity> {
  const signer = await context.identities.open();
  if (signer !== undefined) return signer;
  throw new UsageError({
    code: 'E_HANDOVER_UNSIGNED',
    message: 'nobody is named who signs the receipt',
    hint: 'say --identity',
  });
}
