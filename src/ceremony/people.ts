/**
 * The people of a session as its actions ask for them. A person's passphrase comes from that person at the terminal; in dev
 * ceremonies and rehearsals, where identities are made on the spot, from the slip of paper that the person was handed.
 */
import { join } from 'node:path';
import type { Asker, Conversation, Person } from '#actions/context/context';
import { weaknessOf } from '#actions/shares/passphrase';
import { parseIdentityJson } from '#custody/authority/identity';
import { utf8 } from '#formats/bytes';
import type { SecretBytes } from '#formats/secret-bytes';
import { SecretBytes as Secrets } from '#formats/secret-bytes';
import type { HostFiles } from '#host/host';
import type { Participant, Said } from '#script/entries';
import { ADMINISTRATOR } from '#script/people';
import { holders } from '#script/plan';
import type { Answer, Terminal } from '#terminal/terminal';
import { newSecret } from './new-passphrase.js';

/** Folder of passphrases that the program made and hands out, relative to the session. */
const HANDOUTS = 'handouts';

/** How often somebody may try one passphrase before it is a wrong one. */
const ATTEMPTS = 5;

/** A slip holds one short line. */
const MAX_SLIP_BYTES = 256;

/** The slips of paper of a session whose identities and seals are not meant to last. */
export interface Handouts {
  /** The passphrase on a person's slip; undefined without one. */
  read(name: string): SecretBytes | undefined;
  /** Writes a new slip with a passphrase of 125 bits, or reads the one that is there. */
  issue(name: string): SecretBytes;
}

/** The slips under a session's folder. */
export function handouts(
  files: HostFiles,
  session: string,
  random: (length: number) => Uint8Array,
): Handouts {
  const folder = join(session, HANDOUTS);
  const slip = (name: string): string => join(folder, `${fileName(name)}.txt`);
  const read = (name: string): SecretBytes | undefined => {
    const path = slip(name);
    if (!files.exists(path)) return undefined;
    const bytes = files.read(path, MAX_SLIP_BYTES);
    const end = bytes.at(-1) === 0x0a ? bytes.length - 1 : bytes.length;
    const secret = Secrets.copyOf(bytes.subarray(0, end), `passphrase of ${name}`);
    bytes.fill(0);
    return secret;
  };
  return {
    read,
    issue: (name) => {
      const found = read(name);
      if (found !== undefined) return found;
      files.makeDirectory(folder, { secret: true });
      const bytes = utf8(`${newPassphrase(random)}\n`);
      files.write(slip(name), bytes, { secret: true });
      const secret = Secrets.copyOf(bytes.subarray(0, -1), `passphrase of ${name}`);
      bytes.fill(0);
      return secret;
    },
  };
}

/** A participant as actions know people. */
export function personOf(participant: Participant): Person {
  const { name, role, identity } = participant;
  return {
    name,
    role,
    ...(identity === null ? {} : { identity: parseIdentityJson(identity, name) }),
  };
}

/** How the transcript grades what a terminal heard. */
export function graded(answer: Pick<Answer<unknown>, 'source'>): Said['graded'] {
  return answer.source === 'person' ? 'recorded' : 'unattended';
}

/** What a step's asker stands on. */
export interface SessionAskerOptions {
  readonly terminal: Terminal;
  readonly participants: readonly Participant[];
  /** Key of the instance under way, as an answers file spells it without the person: `act/step`. */
  readonly step: string;
  /** Holder that the instance is for. */
  readonly holder: string | undefined;
  /** Slips that may stand in for people; undefined in real ceremonies. */
  readonly slips: Handouts | undefined;
  /** Whether new passphrases are made and handed out instead of being chosen by people. */
  readonly handsOut: boolean;
  /** Told what a person did, never what a person typed. */
  readonly heard: (said: Said) => void;
}

/** The asker of one step. */
export function sessionAsker(options: SessionAskerOptions): Asker {
  const { terminal, participants, step, holder, slips, handsOut, heard } = options;
  const keyFor = (person: Person | undefined): string => {
    const name = person?.name ?? holder;
    return name === undefined ? step : `${step}/${name}`;
  };
  const hear = (person: Person | undefined, said: string, graded: Said['graded']): void => {
    const name = person?.name ?? holder;
    if (name !== undefined) heard({ name, said, graded });
  };

  /** Who sat at the keyboard last. The next one finds an empty screen: what one typed or was told is not for another. */
  let seated: string | undefined;
  const seat = (name: string | undefined): void => {
    if (seated !== undefined && name !== undefined && name !== seated && terminal.clear) {
      terminal.clear();
      terminal.heading(`${name} sits down at the keyboard`, 'Everybody else looks away.');
    }
    seated = name ?? seated;
  };

  return {
    people: (role) => holders(participants, role).map(personOf),
    ...(holder === undefined ? {} : { holder }),

    passphrase: async ({ opens, attempt, person, brought }) => {
      const name = person?.name ?? holder;
      if (attempt === 0 && name !== undefined && brought !== true) {
        const slip = slips?.read(name);
        if (slip !== undefined) {
          hear(person, `opened ${opens} with the passphrase that was handed out`, 'unattended');
          return slip;
        }
      }
      if (attempt >= ATTEMPTS) return undefined;
      seat(name);
      const again = attempt === 0 ? '' : 'That was not it. ';
      const who = name === undefined ? '' : `${name}: `;
      const answer = await terminal.secret(`${again}${who}passphrase for ${opens}:`, {
        key: keyFor(person),
        attempt: attempt + 1,
      });
      if (answer !== undefined) hear(person, `gave a passphrase for ${opens}`, graded(answer));
      return answer?.value;
    },

    newPassphrase: async ({ seals, person }) => {
      const name = person?.name ?? holder;
      if (handsOut && slips !== undefined && name !== undefined) {
        hear(person, `was handed a passphrase for ${seals}`, 'unattended');
        return slips.issue(name);
      }
      seat(name);
      const answer = await newSecret(terminal, { seals, name, key: keyFor(person) });
      const weak = answer.value.use((bytes) => weaknessOf(bytes)) === undefined ? '' : ' weak';
      hear(person, `chose a${weak} passphrase for ${seals}`, graded(answer));
      return answer.value;
    },

    pin: async ({ token, attempt, left }) => {
      const who = holder === undefined ? '' : `${holder}: `;
      const again = attempt === 0 ? '' : 'That was not it. ';
      const remaining = left === '' ? '' : ` (${left})`;
      const answer = await terminal.secret(`${again}${who}PIN of ${token}${remaining}:`, {
        key: keyFor(undefined),
        attempt: attempt + 1,
      });
      // Every attempt counts for the token, and stands in the record.
      const by = holder ?? holders(participants, ADMINISTRATOR)[0]?.name;
      if (answer !== undefined && by !== undefined) {
        const which = attempt === 0 ? '' : `, attempt ${attempt + 1}`;
        heard({ name: by, said: `gave a PIN for ${token}${which}`, graded: graded(answer) });
      }
      return answer?.value;
    },

    confirm: async (question) =>
      (await terminal.confirm(question, { key: keyFor(undefined) })).value,

    converse: () => Promise.resolve(conversationOf(terminal, keyFor(undefined), holder)),
  };
}

/** A file name for a person, different for different names: a space is `_`, anything unusual its code point in percent signs. */
export function fileName(name: string): string {
  return [...name.normalize('NFC')]
    .map((character, i) => {
      if (/[A-Za-z0-9-]/.test(character) || (character === '.' && i > 0)) return character;
      if (character === ' ') return '_';
      return `%${(character.codePointAt(0) as number).toString(16)}%`;
    })
    .join('');
}

const LETTERS = 'abcdefghijkmnpqrstuvwxyz23456789';

/** 25 letters and digits that are not mistaken for each other, in groups of five: 125 bits. */
function newPassphrase(random: (length: number) => Uint8Array): string {
  const bytes = random(25);
  const letters = Array.from(bytes, (byte) => LETTERS.charAt(byte & 31));
  bytes.fill(0);
  return (letters.join('').match(/.{5}/g) as string[]).join('-');
}

/** A terminal as actions talk to it: every question under one key, and to the one whom it is for. */
export function conversationOf(
  terminal: Terminal,
  key: string,
  who: string | undefined,
): Conversation {
  const at = { key };
  const to = (question: string): string => (who === undefined ? question : `${who}: ${question}`);
  return {
    say: (text) => {
      terminal.say(text);
    },
    choose: async (question, choices) => (await terminal.choose(to(question), choices, at)).value,
    text: async (question, check) => (await terminal.text(to(question), at, check)).value,
    ...(terminal.lines === undefined ? {} : { lines: terminal.lines.bind(terminal) }),
    ...(terminal.clear === undefined ? {} : { clear: terminal.clear.bind(terminal) }),
  };
}
