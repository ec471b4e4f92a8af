/** `verify`: does this artifact hold, and how far can each of its claims be believed. */
import { join } from 'node:path';
import { MissingInputError, NegativeError, UsageError } from '#formats/errors';
import { defineAction } from './action.js';
import type { ArtifactVerdict, Claim, VerifyOptions } from './artifacts/artifact.js';
import { detectKind, recogniseKind } from './artifacts/catalogue.js';
import type { ActionContext } from './context/context.js';
import { signatureFields } from './context/signature-options.js';

/** The verdict on one file. */
export interface FileVerdict extends ArtifactVerdict {
  readonly file: string;
}

/** The answer: no as soon as one file's is no. */
export interface Verified {
  readonly ok: boolean;
  readonly verdicts: readonly FileVerdict[];
  /** Transcripts of rehearsals in a ceremony of which there is more than rehearsals: they decide nothing. */
  readonly leftOut: readonly string[];
}

/** The action `verify`. */
export const verify = defineAction({
  id: 'verify',
  summary: 'check an artifact, a ceremony or a signature',
  description:
    'Checks files that conclave wrote, offline and without trusting who wrote them; the kind of each file is recognised by its content. ' +
    'For a folder, its transcript is checked with everything it names, or that of each session in it, or every artifact in it. ' +
    'Every claim is graded: checked (recomputed here), proven (a proof that tells no secret was verified here), attested (signed by ' +
    'somebody pinned), recorded (somebody says so), unattended (a file answered in the place of a person), advisory (not enforced).\n' +
    'Say who may have signed by --participants or --signer. Without, the participants.yaml of the ceremony is used; without ' +
    'that, nobody is pinned, every signature is only recorded, and the answer is no. --allow-unpinned pins nobody and accepts that.\n' +
    'With --key, checks a signature over any file instead: raw, DER or in an envelope, which is recognised; a message authentication ' +
    'code needs the secret key itself.',
  inputs: {
    targets: {
      type: 'file',
      summary: 'artifact, session or ceremony to check',
      repeat: true,
      positional: 0,
      placeholder: 'FILE|DIR',
    },
    participants: { type: 'file', summary: 'participants.yaml that names who may have signed' },
    signer: {
      type: 'public-key',
      summary: 'public file of an identity that may have signed',
      repeat: true,
    },
    allowUnpinned: { type: 'boolean', summary: 'accept signatures of people that nobody pinned' },
    key: { type: 'key', summary: 'check a signature by this key', placeholder: 'PUB|KEY' },
    in: { type: 'file', summary: 'what was signed' },
    signature: { type: 'file', summary: 'the signature', placeholder: 'SIG' },
    ...signatureFields,
  },
  outputs: {
    verdict: { type: 'verdict', summary: 'the answer, with a graded claim for everything checked' },
  },
  options: ['passphrase'],
  effect: 'none',
  examples: [
    {
      command: 'conclave verify acme',
      explains: 'every session of a ceremony, signed by its participants',
    },
    {
      command: 'conclave verify transcript.json --signer alice.pub bob.pub',
      explains: 'a transcript that only these two may have signed',
    },
    {
      command: 'conclave verify --key release.pub --in app.tar --signature app.tar.sig',
      explains: 'a signature',
    },
  ],
  async run(input, context): Promise<Verified> {
    const { targets, key, in: file, signature } = input;
    if (key !== undefined || file !== undefined || signature !== undefined) {
      if (targets.length > 0) {
        throw usage(
          'files to recognise and --key exclude each other',
          'check the signature by itself',
        );
      }
      if (key === undefined || file === undefined || signature === undefined) {
        throw usage(
          '--key, --in and --signature belong together',
          'give all three, or files to recognise instead',
        );
      }
      const { verifySignature } = await import('./context/verify-signature.js');
      const { hash, padding, suite, userId } = input;
      const one = await verifySignature(
        { key, in: file, signature, context: input.context, hash, padding, suite, userId },
        context,
      );
      return verified([{ file: signature, ...one }], []);
    }
    if (targets.length === 0) {
      throw usage('nothing to verify', 'name a file or a folder, or give --key, --in, --signature');
    }
    const options: VerifyOptions = {
      signers: input.signer,
      participants: input.participants,
      allowUnpinned: input.allowUnpinned === true,
    };
    const verdicts: FileVerdict[] = [];
    const leftOut: string[] = [];
    for (const target of targets) {
      const found = await artifactsOf(target, context);
      leftOut.push(...found.leftOut);
      for (const path of found.paths) verdicts.push(await verdictOn(path, context, options));
    }
    return verified(verdicts, leftOut);
  },
  present: ({ verdicts, leftOut }) =>
    [
      ...verdicts.map(presentVerdict),
      ...leftOut.map(
        (path) =>
          `left out: ${path}: a rehearsal, which decides nothing; name it to have it checked`,
      ),
    ].join('\n\n'),
});

/** Files to judge, and those that are passed over. */
interface Found {
  readonly paths: readonly string[];
  readonly leftOut: readonly string[];
}

const all = (paths: readonly string[]): Found => ({ paths, leftOut: [] });

/** What a target stands for: itself, or what a folder holds. */
async function artifactsOf(target: string, context: ActionContext): Promise<Found> {
  const { files } = context;
  if (target === '-' || !files.isDirectory(target)) return all([target]);
  if (files.exists(join(target, 'transcript.json'))) return all([join(target, 'transcript.json')]);
  const sessions = join(target, 'sessions');
  if (files.isDirectory(sessions)) {
    const held = [...files.list(sessions)].sort().map((name) => join(sessions, name));
    const closed = held
      .map((session) => join(session, 'transcript.json'))
      .filter((path) => files.exists(path));
    if (closed.length > 0) {
      const { apartFromRehearsals } = await import('./session/rehearsals.js');
      return await apartFromRehearsals(closed, context);
    }
    throw new MissingInputError({
      code: 'E_TRANSCRIPT_MISSING',
      message: `${target} holds no session that was brought to its end`,
      hint: held.length === 0 ? `conclave run ${target}` : `conclave run ${target} --resume`,
    });
  }
  const known: string[] = [];
  for (const name of [...files.list(target)].sort()) {
    const path = join(target, name);
    if (files.isDirectory(path)) continue;
    if ((await detectKind(files.read(path), path)) !== undefined) known.push(path);
  }
  if (known.length > 0) return all(known);
  throw new MissingInputError({
    code: 'E_ARTIFACT_MISSING',
    message: `${target} holds nothing that conclave writes`,
    hint: 'name the folder of a session or of a ceremony, or a file',
  });
}

async function verdictOn(
  path: string,
  context: ActionContext,
  options: VerifyOptions,
): Promise<FileVerdict> {
  let bytes: Uint8Array;
  try {
    bytes = context.files.read(path);
  } catch (error) {
    const { whenLarge } = await import('./artifacts/large.js');
    const { verifyContainer } = await import('./artifacts/container.js');
    return await whenLarge(error, path, context, async (source) => ({
      file: path,
      ...(await verifyContainer(source, path)),
    }));
  }
  const kind = await recogniseKind(bytes, path);
  try {
    const pinned = {
      ...options,
      participants: options.participants ?? participantsFor(path, context, options),
    };
    return { file: path, ...(await kind.verify(bytes, path, context, pinned)) };
  } catch (error) {
    // Where one of several files is tampered with, the verdicts on the others are still wanted.
    if (!(error instanceof NegativeError)) throw error;
    const claim: Claim = {
      claim: 'it is as it was written',
      grade: 'checked',
      ok: false,
      detail: error.message,
    };
    return { file: path, ok: false, kind: kind.kind, summary: error.message, claims: [claim] };
  }
}

/** The participants.yaml of the ceremony that a session belongs to, unless the operator pinned otherwise. */
function participantsFor(
  path: string,
  { files }: ActionContext,
  options: VerifyOptions,
): string | undefined {
  if (options.signers.length > 0 || options.allowUnpinned || path === '-') return undefined;
  const session = join(path, '..');
  return [join(session, 'participants.yaml'), join(session, '..', '..', 'participants.yaml')].find(
    (candidate) => files.exists(candidate),
  );
}

function verified(verdicts: readonly FileVerdict[], leftOut: readonly string[]): Verified {
  return { ok: verdicts.every(({ ok }) => ok), verdicts, leftOut };
}

/** More claims than this push the answer off a screen of 24 lines: it is said once more below them. */
const SCREENFUL = 20;

function counted(claims: readonly Claim[]): string {
  const not = claims.filter(({ ok }) => !ok).length;
  return not === 0
    ? `all ${claims.length} claims hold`
    : `${not} of ${claims.length} claims ${not === 1 ? 'does' : 'do'} not hold`;
}

function presentVerdict({ file, kind, ok, summary, claims }: FileVerdict): string {
  const width = Math.max(0, ...claims.map(({ grade }) => grade.length));
  return [
    `${ok ? 'OK' : 'NOT OK'}: ${file} (${kind}): ${summary}`,
    ...claims.map(
      (claim) =>
        `  ${claim.ok ? 'yes' : 'NO '}  ${claim.grade.padEnd(width)}  ${claim.claim}${claim.detail === '' ? '' : `: ${claim.detail}`}`,
    ),
    ...(claims.length > SCREENFUL
      ? [`${ok ? 'OK' : 'NOT OK'}, as the first line says: ${counted(claims)}`]
      : []),
  ].join('\n');
}

function usage(message: string, hint: string): UsageError {
  return new UsageError({ code: 'E_VERIFY_WHAT', message: `verify: ${message}`, hint });
}
