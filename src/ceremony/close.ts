/**
 * After the last entry: the transcript is made from the journal, signed by the administrator and the witnesses, and written
 * in one piece; then the minutes. Killed anywhere here, a session that goes on does exactly this again and nothing else.
 */
import { hexDigest } from '#actions/session/public-side';
import type { OpenIdentity } from '#custody/authority/identity';
import { signStatement, verifyEnvelope } from '#custody/audit/statement';
import { fromUtf8, utf8 } from '#formats/bytes';
import { encodeDsse } from '#formats/dsse';
import { InternalError } from '#formats/errors';
import type { Participant } from '#script/entries';
import { ADMINISTRATOR } from '#script/people';
import { renderMinutes } from '#script/minutes';
import { buildTranscriptStatement } from '#script/transcript';
import { openParticipant } from './identities.js';
import { sessionAsker } from './people.js';
import { artifactsOf, FILES, type Session, within } from './session.js';
import type { SessionState } from './state.js';

/** What a closed session comes to. */
export interface Published {
  readonly outcome: 'completed' | 'aborted';
  readonly reason: string | null;
  /** Hash of the last entry: what is copied to paper. */
  readonly head: string;
  readonly transcript: string;
  readonly minutes: string;
  /** Who signed. */
  readonly signers: readonly string[];
  readonly artifacts: readonly string[];
  readonly dissent: readonly string[];
}

/** Key of the questions at signing: `signing/transcript/<person>`. */
const SIGNING = 'signing/transcript';

/**
 * Writes what is missing of transcript and minutes.
 * @throws RefusedError `E_PASSPHRASE_WRONG` and others when somebody who must sign cannot: the session stays closed and goes
 * on here
 */
export async function publish(session: Session): Promise<Published> {
  const { context, recorder } = session;
  const { files } = context.host;
  const { state, head } = recorder;
  const transcript = within(session, FILES.transcript);
  const minutes = within(session, FILES.minutes);
  const signing = signersOf(state);
  if (!files.exists(transcript)) await writeTranscript(session, signing, transcript);
  if (!files.exists(minutes)) {
    const text = renderMinutes({ definition: session.definition, entries: recorder.entries });
    files.write(minutes, utf8(text));
  }
  const { closed } = state;
  return {
    outcome: closed?.outcome ?? 'aborted',
    reason: closed?.reason ?? null,
    head: head?.hash ?? '',
    transcript,
    minutes,
    signers: signing.map(({ name }) => name),
    artifacts: [...artifactsOf(state).keys()],
    dissent: state.signoffs.filter(({ agrees }) => !agrees).map(({ person }) => person),
  };
}

async function writeTranscript(
  session: Session,
  signing: readonly Participant[],
  path: string,
): Promise<void> {
  const { context, definitionBytes, recorder, terminal } = session;
  const statement = buildTranscriptStatement({
    entries: recorder.entries,
    definition: fromUtf8(definitionBytes, FILES.definition),
    version: context.version,
  });
  if (signing.length > 0) {
    terminal.heading(
      'Sign the record',
      `Chain head: ${recorder.head?.hash ?? ''}\nWrite it down. ` +
        `It is signed by ${signing.map(({ name }) => name).join(', ')}.`,
    );
  }
  const opened: OpenIdentity[] = [];
  try {
    for (const participant of signing) {
      opened.push(
        await openParticipant(
          session,
          participant,
          sessionAsker({
            terminal,
            participants: recorder.state.participants,
            step: SIGNING,
            holder: participant.name,
            slips: session.slips,
            handsOut: false,
            heard: () => undefined,
          }),
          `${SIGNING}/${participant.name}`,
        ),
      );
    }
    const envelope = await terminal.progress('signing the transcript', () =>
      signStatement(statement, opened, { random: context.random }),
    );
    const identities = opened.map(({ identity }) => identity);
    const verdict = await verifyEnvelope(envelope, identities);
    if (verdict.signedBy.length !== identities.length || verdict.problems.length > 0) {
      throw new InternalError({
        code: 'E_TRANSCRIPT_SELF_CHECK',
        message: `the signed transcript does not verify: ${verdict.problems.join('; ')}`,
      });
    }
    context.host.files.write(path, utf8(encodeDsse(envelope)), { overwrite: true });
  } finally {
    for (const identity of opened) identity[Symbol.dispose]();
  }
}

/**
 * Who signs: everybody who signed off and agrees, as far as they have identities. Who disagrees has said so in the chain and
 * signs nothing. A session that ended early is vouched for by its administrator.
 */
function signersOf({ participants, signoffs, closed }: SessionState): readonly Participant[] {
  return participants.filter(
    ({ name, role, identity }) =>
      identity !== null &&
      ((closed?.outcome === 'aborted' && role === ADMINISTRATOR) ||
        signoffs.some((it) => it.person === name && it.role === role && it.agrees)),
  );
}

/** `sha256:` and the digest of a file's bytes. */
export function digestText(bytes: Uint8Array): string {
  return `sha256:${hexDigest(bytes)}`;
}
