/** Where the identity of somebody who is enrolled lies: on that person's own medium, and in a rehearsal with the session. */
import { dirname, join, relative, resolve } from 'node:path';
import type { FileSpace } from '#actions/context/context';
import { publicSideOf } from '#actions/context/identity-space';
import { decodeIdentity, type Identity } from '#custody/authority/identity';
import { ConclaveError, TryAgainError } from '#formats/errors';
import { type Instance, instanceKey } from '#script/plan';
import { folderFiles } from './files.js';
import { identityFile } from './participants.js';
import { fromSite, type Session } from './session.js';

/** A private file is short. */
const MAX_IDENTITY_BYTES = 64 * 1024;

/** A place for one identity file. */
export interface EnrolmentPlace {
  readonly path: string;
  readonly files: FileSpace;
  /** Whether the site file names it: nobody is asked for another one. */
  readonly fixed: boolean;
  /** Whether it is the session's own folder, as in rehearsals. */
  readonly own: boolean;
}

/**
 * The place of a person's identity: what the site file binds, or what the person says now.
 * @throws TryAgainError `E_ENROLMENT_PLACE` where the site file binds what will not do
 */
export async function placeOf(
  session: Session,
  instance: Instance,
  name: string,
): Promise<EnrolmentPlace> {
  const { context, folder, site, siteFolder, slips, terminal } = session;
  // What a rehearsal makes is thrown away with its folder; nobody's medium has any of it.
  if (slips !== undefined) {
    const files = folderFiles(context.host.files, folder);
    return { path: identityFile(name), files, fixed: true, own: true };
  }
  const at = { files: context.files, own: false };
  const bound = site.identities[name];
  if (bound !== undefined) {
    const path = fromSite(siteFolder, bound);
    const problem = problemOf(session, name, path);
    if (problem === undefined) return { ...at, path, fixed: true };
    throw new TryAgainError({
      code: 'E_ENROLMENT_PLACE',
      message: `the site file names ${path} for ${name}. ${problem}`,
      hint: 'bring the medium, or correct the site file, and go on with --resume',
    });
  }
  const answer = await terminal.text(
    `${name}: put in your own medium. Which file on it is your identity, or is to be?`,
    { key: instanceKey(instance) },
    (typed) => problemOf(session, name, typed),
  );
  return { ...at, path: answer.value, fixed: false };
}

/** How the identity is named to what opens and places identities. */
export function referenceTo({ path }: EnrolmentPlace): string {
  return /[/.]/.test(path) ? path : `./${path}`;
}

/** The public side of what lies there. */
export function publicSideAt({ files, path }: EnrolmentPlace): Identity {
  const bytes = files.read(path, MAX_IDENTITY_BYTES);
  try {
    return publicSideOf(bytes, path);
  } finally {
    bytes.fill(0);
  }
}

/** Why a file cannot be somebody's identity; nothing is ever overwritten. */
function problemOf(
  { context, environment, folder, recorder }: Session,
  name: string,
  path: string,
): string | undefined {
  const { files } = context.host;
  if (path.trim() === '') return 'The path of a file is needed.';
  const inside = relative(resolve(folder), resolve(path));
  if (!/^\.\.(?:[/\\]|$)/.test(inside))
    return 'That lies in the folder of this session, which goes to others. It must be on your own medium.';
  if (files.isDirectory(path))
    return `${path} is a folder. Say which file in it: ${join(path, 'me.key')}`;
  if (!files.exists(path)) {
    if (path.endsWith('.pub')) return 'That is the name of a public file. Name the private one.';
    const above = dirname(path);
    return files.isDirectory(above) ? undefined : `There is no folder ${above}. Is the medium in?`;
  }
  let bytes: Uint8Array | undefined;
  try {
    // Too large, or unreadable: asked again, as for every other wrong name.
    bytes = files.read(path, MAX_IDENTITY_BYTES);
    if (isPublic(bytes)) return `${path} is the public half. Name the private file.`;
    const identity = publicSideOf(bytes, path);
    if (identity.environment !== environment)
      return `${path} is an identity for ${identity.environment}, and this session is ${environment}.`;
    const other = recorder.state.participants.find(
      (it) => it.identity?.id === identity.id && it.name !== name,
    );
    return other === undefined ? undefined : `${path} is the identity of ${other.name}.`;
  } catch (error) {
    if (!(error instanceof ConclaveError)) throw error;
    return `${path} is there, and is no identity: ${error.message}. It is not overwritten.`;
  } finally {
    bytes?.fill(0);
  }
}

function isPublic(bytes: Uint8Array): boolean {
  try {
    decodeIdentity(bytes, 'identity');
    return true;
  } catch (error) {
    if (error instanceof ConclaveError) return false;
    throw error;
  }
}
