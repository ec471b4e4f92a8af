/**
 * Tokens: found by what is printed on them, never by slot number (a slot is renumbered whenever its token is initialised), and
 * entered with a PIN whose remaining attempts are looked at first.
 */
import { RefusedError, UnavailableError, UsageError } from '#formats/errors';
import type { SecretBytes } from '#formats/secret-bytes';
import { CKF, CKU, type Handle } from './cryptoki.js';
import { answered, tokenError } from './errors.js';
import { type TokenModule, trimmed } from './module.js';
import { Session } from './session.js';
import type { TokenUri } from './uri.js';

/** How many attempts the token says are left for the user's PIN; many tokens never say. */
export type PinAttempts = 'unlimited-or-unknown' | 'few' | 'one' | 'none';

/** A token as it describes itself. */
export interface TokenDescription {
  readonly label: string;
  readonly serial: string;
  readonly manufacturer: string;
  readonly model: string;
  readonly hardware: string;
  readonly firmware: string;
  readonly initialized: boolean;
  /** Whether its user has a PIN. */
  readonly pinSet: boolean;
  readonly loginRequired: boolean;
  readonly writeProtected: boolean;
  /** A PIN pad or the like: the PIN is not typed here. */
  readonly protectedPath: boolean;
  readonly attempts: PinAttempts;
}

/**
 * PINs go to the module as strings, since its adapter takes nothing else; they cannot be wiped. Nor does it pass the null pointer
 * by which the standard names a PIN pad: a PIN of no length is what comes nearest, and what modules for pads heed.
 */
function pinText(pin: SecretBytes | undefined): string {
  return pin === undefined ? '' : pin.use((bytes) => Buffer.from(bytes).toString('utf8'));
}

/** All tokens of a module. */
export function tokensOf(module: TokenModule): readonly Token[] {
  try {
    return module.api.C_GetSlotList(true).map((slot) => new Token(module, slot));
  } catch (error) {
    throw tokenError(error, module.path, 'looking for tokens');
  }
}

/**
 * The one token that is meant.
 * @throws UnavailableError `E_TOKEN_ABSENT` when there is none, UsageError `E_TOKEN_AMBIGUOUS` when there are several
 */
export function findToken(module: TokenModule, wanted: TokenUri): Token {
  const named = nameOfWanted(wanted);
  const all = tokensOf(module).map((token) => ({ token, described: token.describe() }));
  const found = all.filter(({ described }) => matches(described, wanted));
  const [only, ...others] = found;
  if (only === undefined) {
    const there = all.filter(({ described }) => described.initialized).map(nameOfFound);
    throw new UnavailableError({
      code: 'E_TOKEN_ABSENT',
      message: `there is no token ${named} in ${module.path}`,
      hint:
        there.length === 0
          ? 'no token is there at all: connect it, or see conclave hsm list'
          : `there is ${there.join(', ')}`,
    });
  }
  if (others.length > 0) {
    throw new UsageError({
      code: 'E_TOKEN_AMBIGUOUS',
      message: `${named} names ${found.length} tokens: ${found.map(nameOfFound).join(', ')}`,
      hint: 'name the serial number: --token serial=NUMBER',
    });
  }
  return only.token;
}

function matches(described: TokenDescription, wanted: TokenUri): boolean {
  return (
    described.initialized &&
    (wanted.token === undefined || wanted.token === described.label) &&
    (wanted.serial === undefined || wanted.serial === described.serial) &&
    (wanted.manufacturer === undefined || wanted.manufacturer === described.manufacturer) &&
    (wanted.model === undefined || wanted.model === described.model)
  );
}

function nameOfWanted({ token, serial }: TokenUri): string {
  if (token !== undefined) return JSON.stringify(token);
  return serial === undefined ? 'like that' : `with the serial number ${serial}`;
}

function nameOfFound({ described }: { readonly described: TokenDescription }): string {
  return `${JSON.stringify(described.label)} (serial ${described.serial})`;
}

/** One token. Dispose it to log out. */
export class Token implements Disposable {
  readonly module: TokenModule;
  readonly #slot: Handle;
  /** Holds the login: a token forgets it with the last session of the application. */
  #anchor: Handle | undefined;
  #label: string | undefined;

  constructor(module: TokenModule, slot: Handle) {
    this.module = module;
    this.#slot = slot;
  }

  /** How people know it. */
  get name(): string {
    return `token ${JSON.stringify(this.#label ?? this.describe().label)}`;
  }

  /** What it says of itself now. */
  describe(): TokenDescription {
    try {
      const info = this.module.api.C_GetTokenInfo(this.#slot);
      const has = (flag: number): boolean => (info.flags & flag) !== 0;
      this.#label = trimmed(info.label);
      return {
        label: this.#label,
        serial: trimmed(info.serialNumber),
        manufacturer: trimmed(info.manufacturerID),
        model: trimmed(info.model),
        hardware: `${info.hardwareVersion.major}.${info.hardwareVersion.minor}`,
        firmware: `${info.firmwareVersion.major}.${info.firmwareVersion.minor}`,
        initialized: has(CKF.TOKEN_INITIALIZED),
        pinSet: has(CKF.USER_PIN_INITIALIZED),
        loginRequired: has(CKF.LOGIN_REQUIRED),
        writeProtected: has(CKF.WRITE_PROTECTED),
        protectedPath: has(CKF.PROTECTED_AUTHENTICATION_PATH),
        attempts: has(CKF.USER_PIN_LOCKED)
          ? 'none'
          : has(CKF.USER_PIN_FINAL_TRY)
            ? 'one'
            : has(CKF.USER_PIN_COUNT_LOW)
              ? 'few'
              : 'unlimited-or-unknown',
      };
    } catch (error) {
      const where = this.#label === undefined ? this.module.path : JSON.stringify(this.#label);
      throw tokenError(error, `token ${where}`, 'asking for its description');
    }
  }

  /** Numbers of its mechanisms. */
  mechanisms(): ReadonlySet<number> {
    try {
      return new Set(this.module.api.C_GetMechanismList(this.#slot));
    } catch (error) {
      throw tokenError(error, this.name, 'asking for its mechanisms');
    }
  }

  /** Whether this object logged in. */
  get loggedIn(): boolean {
    return this.#anchor !== undefined;
  }

  /**
   * Logs the user in; asks nobody and tries once.
   * @param pin - borrowed; `undefined` where the token has a PIN pad of its own
   * @throws RefusedError `E_TOKEN_PIN_INCORRECT`, `E_TOKEN_PIN_LOCKED` and the like
   */
  logIn(pin: SecretBytes | undefined): void {
    if (this.#anchor !== undefined) return;
    const { api } = this.module;
    const anchor = this.#open(false);
    try {
      api.C_Login(anchor, CKU.USER, pinText(pin));
    } catch (error) {
      // Another part of this process is logged in already, which serves as well.
      if (!answered(error, 'CKR_USER_ALREADY_LOGGED_IN')) {
        this.#close(anchor);
        throw tokenError(error, this.name, 'logging in');
      }
    }
    this.#anchor = anchor;
  }

  /**
   * A session for one operation, closed whatever happens.
   * @param how - `write` where something is created or destroyed
   */
  session<T>(how: { readonly write: boolean }, work: (session: Session) => T): T {
    const handle = this.#open(how.write);
    try {
      return work(new Session(this.module.api, handle, this.name));
    } finally {
      this.#close(handle);
    }
  }

  /**
   * Makes a fresh token of this slot: everything on it is lost, security officer and user get their PINs.
   * @param pins - borrowed
   * @returns the token; the slot has another number afterwards
   */
  initialize(
    label: string,
    pins: { readonly securityOfficer: SecretBytes; readonly user: SecretBytes },
  ): Token {
    const { api } = this.module;
    const officerPin = pinText(pins.securityOfficer);
    try {
      api.C_InitToken(this.#slot, officerPin, label.padEnd(32, ' '));
    } catch (error) {
      throw tokenError(error, this.name, 'initialising it');
    }
    const fresh = findToken(this.module, { token: label });
    const session = fresh.#open(true);
    try {
      api.C_Login(session, CKU.SO, officerPin);
      try {
        api.C_InitPIN(session, pinText(pins.user));
      } finally {
        api.C_Logout(session);
      }
    } catch (error) {
      throw tokenError(error, fresh.name, 'setting its PIN');
    } finally {
      fresh.#close(session);
    }
    return fresh;
  }

  [Symbol.dispose](): void {
    const anchor = this.#anchor;
    if (anchor === undefined) return;
    this.#anchor = undefined;
    try {
      this.module.api.C_Logout(anchor);
    } catch {
      // A token that was pulled is logged out.
    }
    this.#close(anchor);
  }

  #open(write: boolean): Handle {
    try {
      const flags = CKF.SERIAL_SESSION | (write ? CKF.RW_SESSION : 0);
      return this.module.api.C_OpenSession(this.#slot, flags);
    } catch (error) {
      throw tokenError(error, this.name, 'opening a session');
    }
  }

  #close(handle: Handle): void {
    try {
      this.module.api.C_CloseSession(handle);
    } catch {
      // A session with a token that was pulled is closed.
    }
  }
}

/** @throws RefusedError `E_TOKEN_PIN_LOCKED` where no attempt is left, so that none is made */
export function assertNotLocked({ label, attempts }: TokenDescription): void {
  if (attempts !== 'none') return;
  throw new RefusedError({
    code: 'E_TOKEN_PIN_LOCKED',
    message: `token ${JSON.stringify(label)}: it is locked after too many wrong PINs`,
    hint: 'its security officer can unlock it',
  });
}
