/**
 * The way to tokens: which module, which token, whose PIN. A wrong PIN costs an attempt, so that how many are left is looked at
 * before each, and the last one is never used up without leave.
 */
import type { Home } from '#carriage/stores/home';
import type { NewCryptoki } from '#carriage/stores/pkcs11/cryptoki';
import { findLibrary, useSandbox } from '#carriage/stores/pkcs11/library';
import { openModule, readsFiles, type TokenModule } from '#carriage/stores/pkcs11/module';
import {
  assertNotLocked,
  findToken,
  type PinAttempts,
  type Token,
  type TokenDescription,
} from '#carriage/stores/pkcs11/token';
import type { TokenUri } from '#carriage/stores/pkcs11/uri';
import type { DurableFiles } from '#carriage/stores/store';
import { ConclaveError, RefusedError, UsageError } from '#formats/errors';
import { SecretBytes } from '#formats/secret-bytes';
import type { Asker, FileSpace } from './context.js';

/** Where a token is, as far as it was said. */
export interface TokenPlace {
  readonly uri: TokenUri;
  /** As typed: a path, a name, or `sandbox`. */
  readonly module?: string | undefined;
  readonly pinFile?: string | undefined;
  /** Reads the PIN where it comes from elsewhere than the command's own files. */
  readonly readPin?: (() => Uint8Array) | undefined;
}

/** A token, entered or not. Disposing it logs out and gives the module back. */
export interface OpenToken extends Disposable {
  readonly token: Token;
  readonly module: TokenModule;
  readonly description: TokenDescription;
  /** How the module was named; what finds it again. */
  readonly named: string;
}

/** Tokens that this run can reach. */
export interface TokenSpace {
  /** A module by name. @throws UsageError `E_PKCS11_MODULE_MISSING`, UnavailableError `E_PKCS11_MODULE`, `E_PKCS11_ABSENT` */
  module(named?: string): Promise<TokenModule>;
  /** A token, its user logged in unless `login` is `never`. @throws UnavailableError `E_TOKEN_ABSENT`, RefusedError `E_TOKEN_PIN_…` */
  open(place: TokenPlace, login?: 'user' | 'never'): Promise<OpenToken>;
  /** A PIN that is to be set: from the file, else asked twice. */
  newPin(file: string | undefined, what: string): Promise<SecretBytes>;
  /** A SoftHSM token in the home, made unless it is there. @throws UnavailableError `E_PKCS11_MODULE` without SoftHSM */
  sandbox(label: string): Promise<Sandbox>;
}

/** A software token in a home. */
export interface Sandbox {
  readonly serial: string;
  readonly pinFile: string;
  readonly configuration: string;
  readonly library: string;
  readonly made: boolean;
}

/** What stands behind it. */
export interface TokenSpaceOptions {
  readonly home: Home;
  readonly disk: DurableFiles;
  readonly random: (length: number) => Uint8Array;
  readonly files: FileSpace;
  readonly ask: Asker;
  /** What `--module` and `--pin-file` said for the whole command. */
  readonly module?: string | undefined;
  readonly pinFile?: string | undefined;
  readonly progress: (message: string) => void;
  /** pkcs11js when not given. */
  readonly newCryptoki?: NewCryptoki | undefined;
}

/** No token takes a longer PIN; more is a wrong file. */
const MAX_PIN_BYTES = 256;

/** How often a person may try before it is a wrong PIN; tokens that lock earlier say so. */
const ATTEMPTS = 3;
/**
 * How often a token that is a file is looked for again, and after how long: one that another program is just writing to is missed,
 * and whole within milliseconds.
 */
const LOOKS_AGAIN = 2;
const PAUSE_MS = 80;

/** Tokens behind modules. */
export function createTokenSpace(options: TokenSpaceOptions): TokenSpace {
  const { home, disk, files, ask } = options;

  const openLibrary = async (named: string | undefined): Promise<TokenModule> => {
    if (named === undefined) {
      throw new UsageError({
        code: 'E_PKCS11_MODULE_MISSING',
        message: 'the library of the token was not named',
        hint: 'say --module LIB; to try tokens without one, conclave hsm sandbox',
      });
    }
    const { path, sandbox } = findLibrary(named, (each) => disk.exists(each));
    if (sandbox) useSandbox(home.path);
    return await openModule(path, options.newCryptoki);
  };

  const look = async (
    named: string | undefined,
    uri: TokenPlace['uri'],
  ): Promise<{ readonly module: TokenModule; readonly token: Token }> => {
    for (let again = LOOKS_AGAIN; ; again--) {
      const module = await openLibrary(named);
      try {
        return { module, token: findToken(module, uri) };
      } catch (error) {
        module[Symbol.dispose]();
        const absent = error instanceof ConclaveError && error.code === 'E_TOKEN_ABSENT';
        if (!absent || !readsFiles(module) || again === 0) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  };

  const readPin = (path: string): SecretBytes => {
    return pinIn(files.read(path, MAX_PIN_BYTES), path);
  };

  const enter = async (token: Token, place: TokenPlace): Promise<void> => {
    const described = token.describe();
    if (!described.loginRequired) return;
    assertNotLocked(described);
    await assertLastTryAllowed(described, ask);
    if (place.readPin !== undefined) {
      using pin = pinIn(place.readPin(), 'the PIN file of the site');
      logIn(token, pin);
      return;
    }
    const file = place.pinFile ?? place.uri.pinSource ?? options.pinFile;
    if (file !== undefined) {
      using pin = readPin(file);
      logIn(token, pin);
      return;
    }
    if (described.protectedPath) {
      options.progress(`enter the PIN of ${token.name} on its own keys`);
      logIn(token, undefined);
      return;
    }
    await askAndLogIn(token, ask);
  };

  return {
    module: async (named = options.module) => await openLibrary(named),

    open: async (place, login = 'user') => {
      const { uri } = place;
      const named = place.module ?? uri.modulePath ?? uri.moduleName ?? options.module;
      const { module, token } = await look(named, uri);
      try {
        if (login === 'user') await enter(token, place);
        return {
          token,
          module,
          named: named ?? '',
          description: token.describe(),
          [Symbol.dispose]: () => {
            token[Symbol.dispose]();
            module[Symbol.dispose]();
          },
        };
      } catch (error) {
        token[Symbol.dispose]();
        module[Symbol.dispose]();
        throw error;
      }
    },

    newPin: async (file, what) => {
      if (file !== undefined) return readPin(file);
      if (ask.newPin === undefined) throw pinMissing(what);
      return await ask.newPin({ what });
    },

    sandbox: async (label) => {
      const { makeSandbox } = await import('./token-sandbox.js');
      return await makeSandbox(label, { ...options, openLibrary });
    },
  };
}

async function askAndLogIn(token: Token, ask: Asker): Promise<void> {
  if (ask.pin === undefined) throw pinMissing(token.name);
  for (let attempt = 0; ; attempt++) {
    const described = token.describe();
    assertNotLocked(described);
    if (attempt > 0) await assertLastTryAllowed(described, ask);
    using pin = await ask.pin({ token: token.name, attempt, left: leftText(described.attempts) });
    if (pin === undefined) {
      throw new RefusedError({
        code: 'E_TOKEN_PIN_MISSING',
        message: `${token.name}: no PIN was given`,
        hint: 'give it by --pin-file',
      });
    }
    try {
      logIn(token, pin);
      return;
    } catch (error) {
      const wrong = error instanceof ConclaveError && error.code === 'E_TOKEN_PIN_INCORRECT';
      if (!wrong || attempt + 1 >= ATTEMPTS) throw error;
    }
  }
}

/** Logs in once; where the PIN is wrong, the error tells what is left. */
function logIn(token: Token, pin: SecretBytes | undefined): void {
  try {
    token.logIn(pin);
  } catch (error) {
    if (!(error instanceof RefusedError) || error.code !== 'E_TOKEN_PIN_INCORRECT') throw error;
    const { attempts } = token.describe();
    const left = leftText(attempts);
    throw new RefusedError({
      code: error.code,
      message: left === '' ? error.message : `${error.message}; ${left}`,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      details: { ...error.details, attempts },
      cause: error,
    });
  }
}

async function assertLastTryAllowed(
  { label, attempts }: TokenDescription,
  ask: Asker,
): Promise<void> {
  if (attempts !== 'one') return;
  const name = JSON.stringify(label);
  const allowed = await ask.confirm?.(
    `One attempt is left before the token ${name} locks itself. Use it?`,
  );
  if (allowed === true) return;
  throw new RefusedError({
    code: 'E_TOKEN_PIN_LAST_TRY',
    message: `token ${name}: one attempt is left before it locks itself, and it was not made`,
    hint: 'run this where the question can be answered, with the PIN checked on paper first',
    details: { attempts },
  });
}

/** What is left, for people; empty where the token does not say. */
export function leftText(attempts: PinAttempts): string {
  switch (attempts) {
    case 'few':
      return 'few attempts are left before it locks itself';
    case 'one':
      return 'one attempt is left before it locks itself';
    case 'none':
      return 'it is locked now';
    case 'unlimited-or-unknown':
      return '';
  }
}

/** The PIN in the bytes of a file, which are wiped. */
function pinIn(bytes: Uint8Array, what: string): SecretBytes {
  try {
    return withoutNewline(bytes, what);
  } finally {
    bytes.fill(0);
  }
}

/** One final LF or CRLF is not part of a PIN; an empty PIN is none. */
function withoutNewline(bytes: Uint8Array, path: string): SecretBytes {
  let end = bytes.length;
  if (bytes[end - 1] === 0x0a) end--;
  if (end < bytes.length && bytes[end - 1] === 0x0d) end--;
  if (end === 0) {
    throw new UsageError({
      code: 'E_PIN_EMPTY',
      message: `${path} holds an empty PIN`,
      hint: 'write the PIN into it',
    });
  }
  return SecretBytes.copyOf(bytes.subarray(0, end), `PIN from ${path}`);
}

function pinMissing(what: string): UsageError {
  return new UsageError({
    code: 'E_PIN_MISSING',
    message: `${what} needs a PIN, and nobody can be asked`,
    hint: 'give it by --pin-file',
  });
}
