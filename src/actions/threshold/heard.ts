/**
 * What was said in a session of a ceremony, as it lies among the artifacts: start message, acceptances and round messages in one
 * folder, each under the name that its place gives it.
 */
import { join } from 'node:path';
import { NegativeError } from '#formats/errors';
import { authenticateMessage, decodeMessage } from '#protocols/parties/message';
import { judge, type Seen } from '#protocols/parties/inbox';
import type { Roster } from '#protocols/parties/roster';
import type { Broadcast } from '#protocols/threshold/public-check';
import { decodeStart, type Start } from '#protocols/threshold/start-message';
import type { ActionContext } from '../context/context.js';
import { partyOf, rosterFrom } from './certificate.js';
import { proofName } from './proof-files.js';

const MAX_START_BYTES = 2 * 1024 * 1024;
const MAX_FILE_BYTES = 1024 * 1024;
const NAME =
  /^[0-9a-f]{8}-(?<round>[0-9]{1,3})-(?<type>[a-z][a-z-]*)-from-(?<from>[0-9]{1,5})(?:-to-(?<to>all|[0-9]{1,5})\.msg|\.json)$/;

/** A file of a session by what its name says. */
export interface SaidFile {
  readonly path: string;
  /** 0 for acceptances. */
  readonly round: number;
  readonly from: number;
  /** `null` for what is for everybody. */
  readonly to: number | null;
}

/** The start message in a file. @throws InputError `E_START_MALFORMED` */
export async function readStartFile(path: string, { files }: ActionContext): Promise<Start> {
  return await decodeStart(files.read(path, MAX_START_BYTES), path);
}

/** Acceptances and messages of a session in a folder, in the order of their names. */
export function saidIn({ message }: Start, folder: string, { files }: ActionContext): SaidFile[] {
  return [...files.list(folder)].sort().flatMap((name): SaidFile[] => {
    const parts = NAME.exec(name)?.groups;
    if (parts === undefined || !name.startsWith(`${message.session.slice(0, 8)}-`)) return [];
    const { round = '', from = '', to = 'all' } = parts;
    return [
      {
        path: join(folder, name),
        round: Number(round),
        from: Number(from),
        to: to === 'all' ? null : Number(to),
      },
    ];
  });
}

/** Proofs that lie beside the confirmations of a session. */
export function proofsIn({ message }: Start, folder: string, { files }: ActionContext): string[] {
  if (message.openings === undefined) return [];
  return message.receivers
    .map((number) => join(folder, proofName(message.session, number)))
    .filter((path) => files.exists(path));
}

/** Everything that was said in a session, authenticated. */
export interface Heard {
  readonly certificates: ReadonlyMap<number, Uint8Array>;
  readonly roster: Roster;
  readonly broadcasts: readonly Broadcast[];
  /** All of them as they travelled, the sealed ones too. */
  readonly messages: readonly Uint8Array[];
}

/** Acceptances of everybody in a folder. @throws NegativeError `E_ACCEPTANCE_FOREIGN`, `E_TRANSCRIPT_INCOMPLETE` */
export async function acceptancesIn(
  start: Start,
  folder: string,
  context: ActionContext,
): Promise<ReadonlyMap<number, Uint8Array>> {
  const certificates = new Map<number, Uint8Array>();
  for (const { path, round } of saidIn(start, folder, context)) {
    if (round !== 0) continue;
    const bytes = context.files.read(path, MAX_FILE_BYTES);
    certificates.set((await partyOf(bytes, start, path)).number, bytes);
  }
  const silent = start.message.parties.filter(({ number }) => !certificates.has(number));
  if (silent.length === 0) return certificates;
  throw new NegativeError({
    code: 'E_TRANSCRIPT_INCOMPLETE',
    message: `${silent.map(({ name }) => name).join(', ')} did not accept`,
  });
}

/**
 * All that was said, every signature checked.
 * @throws NegativeError `E_THRESHOLD_EQUIVOCATION` and those of acceptances and messages
 */
export async function heardIn(
  start: Start,
  folder: string,
  context: ActionContext,
): Promise<Heard> {
  const certificates = await acceptancesIn(start, folder, context);
  const roster = await rosterFrom(start, certificates);
  const broadcasts: Broadcast[] = [];
  const messages: Uint8Array[] = [];
  let seen: Seen = {};
  for (const { path, round } of saidIn(start, folder, context)) {
    if (round === 0) continue;
    const bytes = context.files.read(path, MAX_FILE_BYTES);
    const message = decodeMessage(bytes, path);
    const digest = await authenticateMessage(message, roster, path);
    const { header, content } = message;
    const judged = judge({ header, digest }, seen, header.round);
    if (judged.verdict !== 'new') {
      throw new NegativeError({
        code: 'E_THRESHOLD_EQUIVOCATION',
        message: `${path}: party ${header.sender} said this before, or something else`,
        details: { culprits: [header.sender] },
      });
    }
    seen = judged.seen;
    messages.push(bytes);
    if (content.kind === 'broadcast') {
      const { type, sender } = header;
      broadcasts.push({ round: header.round, type, sender, body: content.body, digest });
    }
  }
  return { certificates, roster, broadcasts, messages };
}
