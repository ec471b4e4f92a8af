/** The same transcripts before both verifiers: ours, and the one in plain Python. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import { encodeIdentity, parseIdentityJson } from '#custody/authority/identity';
import { parseStatement, verifyEnvelope } from '#custody/audit/statement';
import { sha256 } from '#crypto/hash';
import type { ActionDescription } from '#formats/action';
import { decodeDsse } from '#formats/dsse';
import { InputError } from '#formats/errors';
import { checkTranscript } from '#script/check-transcript';
import { parseTranscript, participantsOf } from '#script/transcript';
import { root } from '../support/require.js';
import type { Made } from './session.js';

/** The second verifier. */
export const program = join(root, 'test/independent/verify_transcript.py');

/** One file, and what both verifiers must say of it. */
export interface Case {
  readonly name: string;
  readonly made: Made;
  readonly bytes: Uint8Array;
  readonly ok: boolean;
}

/** Our answer, the session's identities pinned: whether it holds, and the entry that the first misfit names. */
export async function ours(
  { made, bytes }: Case,
  catalogue: readonly ActionDescription[],
): Promise<{ ok: boolean; text: string }> {
  try {
    const envelope = decodeDsse(bytes, 't');
    const transcript = parseTranscript(parseStatement(envelope, 't'), 't');
    const identities = participantsOf(transcript.entries).flatMap(({ identity, name }) => {
      try {
        return identity === null ? [] : [parseIdentityJson(identity, name)];
      } catch {
        return [];
      }
    });
    const whose = new Set([...made.identities.values()].map(({ identity }) => identity.id));
    const check = async (signedBy: ReadonlySet<string>, problems: readonly string[]) => {
      const { ok, claims } = await checkTranscript(transcript, {
        signatures: { signedBy, problems, pinned: whose, allowUnpinned: false },
        sha256: (content) => sha256(content),
        readArtifact: (path) => made.files.get(path),
        inspect: () => Promise.resolve(undefined),
        catalogue,
      });
      return { ok, text: claims.flatMap((it) => (it.ok ? [] : [it.detail])).join('\n') };
    };
    // Signatures cost most: they are looked at when nothing else is wrong.
    const content = await check(new Set(identities.map(({ id }) => id)), []);
    if (!content.ok) return content;
    const { signedBy, problems, unknown } = await verifyEnvelope(envelope, identities);
    return await check(new Set(signedBy.map(({ id }) => id)), [...problems, ...unknown]);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { ok: false, text: error.message };
  }
}

/**
 * What Python says of many transcripts of one session's people.
 * @param work - a folder for files
 */
export function theirs(
  made: Made,
  of: readonly Case[],
  work: string,
): readonly { ok: boolean; code: number; entry: number | null; summary: string }[] {
  const place = mkdtempSync(join(work, 'room-'));
  const signers = [...made.identities].flatMap(([name, { identity }]) => {
    writeFileSync(join(place, `${name}.pub`), encodeIdentity(identity));
    return ['--signer', join(place, `${name}.pub`)];
  });
  const files = of.map(({ bytes }, i) => {
    const folder = join(place, String(i));
    mkdirSync(folder);
    for (const [path, content] of made.files) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), content);
    }
    writeFileSync(join(folder, 'transcript.json'), bytes);
    return folder;
  });
  const done = spawnSync('python3', ['-B', program, '--json', ...signers, ...files], {
    encoding: 'utf8',
  });
  expect(done.stderr).toBe('');
  return JSON.parse(done.stdout) as ReturnType<typeof theirs>;
}
