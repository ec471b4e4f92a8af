/**
 * Where answers come from outside ceremonies: options first, then the person at the terminal; where nobody can be asked, a
 * usage error that names the option.
 */
import type { Asker } from '#actions/context/context';
import { UsageError } from '#formats/errors';
import type { SecretBytes } from '#formats/secret-bytes';
import type { Terminal } from '#terminal/terminal';

/** How often a person may try before it is a wrong passphrase. */
const ATTEMPTS = 3;

/** More than this is no passphrase but a wrong file. */
const MAX_PASSPHRASE_BYTES = 4096;

/** What stands behind the answers. */
export interface AskerOptions {
  /** As typed; each is tried in turn. */
  readonly passphraseFiles: readonly string[];
  /** `--no-passphrase` was given. */
  readonly noPassphrase: boolean;
  /** Option names for the message when an answer is missing. */
  readonly optionNames: {
    /** What would have given a passphrase to open something. */
    readonly opening: string;
    /** What would have given a new passphrase. */
    readonly sealing: string;
  };
  readonly files: PassphraseFiles;
  /** The person, if one can be asked; loaded when the first question comes. */
  readonly terminal: (() => Promise<Terminal>) | undefined;
}

/** An asker that can also ask for leave. */
export type CommandAsker = Asker & Required<Pick<Asker, 'confirm'>>;

/** Passphrases by the path of their file. */
export interface PassphraseFiles extends Disposable {
  /** A copy that the caller disposes. @throws InputError `E_UTF8_MALFORMED`, and what reading throws */
  read(path: string): Promise<SecretBytes>;
}

/**
 * Passphrase files, each read once and kept until disposed: a file may be a pipe that gives its content only once, while
 * several things are opened by it.
 */
export function createPassphraseFiles(
  readFile: (path: string, maxBytes: number) => Uint8Array | Promise<Uint8Array>,
): PassphraseFiles {
  const kept = new Map<string, SecretBytes>();
  return {
    read: async (path) => {
      const known = kept.get(path);
      if (known !== undefined) return known.clone();
      const { readPassphrase } = await import('#terminal/answers');
      const fresh = readPassphrase(await readFile(path, MAX_PASSPHRASE_BYTES), path);
      kept.set(path, fresh);
      return fresh.clone();
    },
    [Symbol.dispose]: () => {
      for (const passphrase of kept.values()) passphrase.dispose();
    },
  };
}

/** People and options behind the questions of actions. */
export function createAsker(options: AskerOptions): CommandAsker {
  const { passphraseFiles, noPassphrase, optionNames, files, terminal } = options;
  return {
    offered: passphraseFiles.length > 0,
    confirm: async (question) =>
      terminal === undefined
        ? undefined
        : (await (await terminal()).confirm(question, { key: '' })).value,

    passphrase: async ({ opens, attempt }) => {
      if (passphraseFiles.length > 0) {
        const path = passphraseFiles[attempt];
        return path === undefined ? undefined : await files.read(path);
      }
      if (terminal === undefined) {
        throw new UsageError({
          code: 'E_PASSPHRASE_MISSING',
          message: `${opens} needs a passphrase, and nobody can be asked`,
          hint: `give it by ${optionNames.opening}`,
        });
      }
      if (attempt >= ATTEMPTS) return undefined;
      const again = attempt === 0 ? '' : 'That was not it. ';
      const answer = await (
        await terminal()
      ).secret(`${again}Passphrase for ${opens}:`, { key: '' });
      return answer?.value;
    },

    newPassphrase: async ({ seals }) => {
      if (noPassphrase) return undefined;
      const [path] = passphraseFiles;
      if (path !== undefined) {
        const given = await files.read(path);
        if (given.length > 0) return given;
        throw new UsageError({
          code: 'E_PASSPHRASE_EMPTY',
          message: `${path} holds an empty passphrase`,
          hint: 'write a passphrase into it',
        });
      }
      if (terminal === undefined) {
        throw new UsageError({
          code: 'E_PASSPHRASE_MISSING',
          message: `${seals} needs a new passphrase, and nobody can be asked`,
          hint: `give it by ${optionNames.sealing}`,
        });
      }
      return await typedTwice(terminal, seals, 'passphrase');
    },

    ...(terminal === undefined ? {} : pinsFrom(terminal)),

    people: () => [],

    converse: async () => {
      if (terminal === undefined) return undefined;
      const screen = await terminal();
      const at = { key: '' };
      return {
        say: (text) => {
          screen.say(text);
        },
        choose: async (question, choices) => (await screen.choose(question, choices, at)).value,
        text: async (question, check) => (await screen.text(question, at, check)).value,
        ...(screen.lines === undefined ? {} : { lines: screen.lines.bind(screen) }),
        ...(screen.clear === undefined ? {} : { clear: screen.clear.bind(screen) }),
      };
    },
  };
}

/** PINs are typed; their files are read where the token is. */
function pinsFrom(terminal: () => Promise<Terminal>): Required<Pick<Asker, 'pin' | 'newPin'>> {
  return {
    pin: async ({ token, attempt, left }) => {
      const again = attempt === 0 ? '' : 'That was not it. ';
      const remaining = left === '' ? '' : ` (${left})`;
      const asked = `${again}PIN of ${token}${remaining}:`;
      return (await (await terminal()).secret(asked, { key: '' }))?.value;
    },
    newPin: async ({ what }) => await typedTwice(terminal, what, 'PIN'),
  };
}

/** A new secret from a person, as ceremonies ask for one; what weighs it is loaded when the question comes. */
async function typedTwice(
  terminal: () => Promise<Terminal>,
  seals: string,
  kind: 'passphrase' | 'PIN',
): Promise<SecretBytes> {
  const { newSecret } = await import('#ceremony/new-passphrase');
  return (await newSecret(await terminal(), { seals, kind, key: '' })).value;
}
