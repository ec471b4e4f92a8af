/**
 * What a module answers, as sentences. pkcs11js throws five shapes: `Pkcs11Error` with a code, plain errors that read
 * `CKR_NAME:decimal` (from the calls that it overrides), `NativeError` for itself, `TypeError`, and what the dynamic loader says.
 * None of them is shown whole: their texts carry stacks.
 */
import {
  type ConclaveError,
  type ErrorInit,
  InternalError,
  NegativeError,
  OutputError,
  RefusedError,
  UnavailableError,
} from '#formats/errors';

/** A return value of PKCS#11. */
export interface ReturnValue {
  readonly name: string;
  readonly code: number;
}

type Kind = new (init: ErrorInit) => ConclaveError;

interface Meaning {
  readonly kind: Kind;
  readonly says: string;
  readonly hint?: string;
}

const absent = 'connect it again; what was not confirmed was not done';
const full = 'free space on the token, or use another';
const pinHint = 'check the PIN on paper before the next attempt: tokens lock after a few';

/** By name: the decimal of a vendor's own value differs from token to token. */
const meanings: Readonly<Record<string, Meaning>> = {
  CKR_HOST_MEMORY: { kind: UnavailableError, says: 'the module ran out of memory' },
  CKR_SLOT_ID_INVALID: { kind: UnavailableError, says: 'the token is gone', hint: absent },
  CKR_GENERAL_ERROR: {
    kind: UnavailableError,
    says: 'the module failed and does not say why',
    hint: 'see whether its own configuration and service are in order',
  },
  CKR_FUNCTION_FAILED: { kind: UnavailableError, says: 'the token could not do it' },
  CKR_ARGUMENTS_BAD: { kind: UnavailableError, says: 'the token does not take these parameters' },
  CKR_ATTRIBUTE_READ_ONLY: { kind: RefusedError, says: 'the token sets an attribute itself' },
  CKR_ATTRIBUTE_SENSITIVE: { kind: RefusedError, says: 'the token keeps this value to itself' },
  CKR_ATTRIBUTE_TYPE_INVALID: { kind: RefusedError, says: 'the token does not know an attribute' },
  CKR_ATTRIBUTE_VALUE_INVALID: {
    kind: RefusedError,
    says: 'the token does not take keys of this kind',
  },
  CKR_TEMPLATE_INCOMPLETE: { kind: RefusedError, says: 'the token wants more attributes' },
  CKR_TEMPLATE_INCONSISTENT: { kind: RefusedError, says: 'the token finds attributes in conflict' },
  CKR_ACTION_PROHIBITED: { kind: RefusedError, says: 'the token does not allow it' },
  CKR_DEVICE_ERROR: { kind: UnavailableError, says: 'the token failed', hint: absent },
  CKR_DEVICE_MEMORY: { kind: OutputError, says: 'the token is full', hint: full },
  CKR_DEVICE_REMOVED: { kind: UnavailableError, says: 'the token was removed', hint: absent },
  CKR_TOKEN_NOT_PRESENT: { kind: UnavailableError, says: 'the token is not there', hint: absent },
  CKR_TOKEN_NOT_RECOGNIZED: { kind: UnavailableError, says: 'the token is not recognised' },
  CKR_TOKEN_WRITE_PROTECTED: { kind: OutputError, says: 'the token is write-protected' },
  CKR_SESSION_CLOSED: { kind: UnavailableError, says: 'the session ended', hint: absent },
  CKR_SESSION_HANDLE_INVALID: { kind: UnavailableError, says: 'the session ended', hint: absent },
  CKR_SESSION_COUNT: { kind: UnavailableError, says: 'the token takes no more sessions' },
  CKR_SESSION_READ_ONLY: { kind: OutputError, says: 'the token allows no changes here' },
  CKR_SESSION_READ_ONLY_EXISTS: { kind: UnavailableError, says: 'another session is read-only' },
  CKR_SESSION_EXISTS: {
    kind: UnavailableError,
    says: 'another program has the token open',
    hint: 'end it first',
  },
  CKR_KEY_HANDLE_INVALID: { kind: UnavailableError, says: 'the key is gone' },
  CKR_OBJECT_HANDLE_INVALID: { kind: UnavailableError, says: 'the object is gone' },
  CKR_DATA_LEN_RANGE: {
    kind: RefusedError,
    says: 'the token does not take data of this length',
  },
  CKR_KEY_SIZE_RANGE: { kind: RefusedError, says: 'the token does not take a key of this length' },
  CKR_KEY_TYPE_INCONSISTENT: { kind: RefusedError, says: 'the key is of another kind' },
  CKR_KEY_FUNCTION_NOT_PERMITTED: { kind: RefusedError, says: 'the key is not for this use' },
  CKR_KEY_NOT_WRAPPABLE: { kind: RefusedError, says: 'the key may not leave the token' },
  CKR_KEY_UNEXTRACTABLE: { kind: RefusedError, says: 'the key may not leave the token' },
  CKR_MECHANISM_INVALID: { kind: UnavailableError, says: 'the token has no such mechanism' },
  CKR_MECHANISM_PARAM_INVALID: {
    kind: UnavailableError,
    says: 'the token does not take these parameters',
  },
  CKR_FUNCTION_NOT_SUPPORTED: { kind: UnavailableError, says: 'the module has no such function' },
  CKR_CURVE_NOT_SUPPORTED: { kind: UnavailableError, says: 'the token does not know this curve' },
  CKR_DOMAIN_PARAMS_INVALID: { kind: UnavailableError, says: 'the token does not know this curve' },
  CKR_OPERATION_ACTIVE: { kind: InternalError, says: 'an operation was left open' },
  CKR_PIN_INCORRECT: { kind: RefusedError, says: 'this is not its PIN', hint: pinHint },
  CKR_PIN_INVALID: { kind: RefusedError, says: 'a PIN cannot be like that' },
  CKR_PIN_LEN_RANGE: { kind: RefusedError, says: 'a PIN of that length is no PIN of it' },
  CKR_PIN_EXPIRED: { kind: RefusedError, says: 'its PIN has expired', hint: 'set a new one' },
  CKR_PIN_LOCKED: {
    kind: RefusedError,
    says: 'it is locked after too many wrong PINs',
    hint: 'its security officer can unlock it',
  },
  CKR_USER_NOT_LOGGED_IN: { kind: RefusedError, says: 'nobody is logged in' },
  CKR_USER_PIN_NOT_INITIALIZED: {
    kind: RefusedError,
    says: 'it has no user PIN yet',
    hint: 'conclave hsm init sets one',
  },
  CKR_USER_ANOTHER_ALREADY_LOGGED_IN: { kind: RefusedError, says: 'somebody else is logged in' },
  CKR_USER_TOO_MANY_TYPES: { kind: RefusedError, says: 'somebody else is logged in' },
  CKR_SIGNATURE_INVALID: { kind: NegativeError, says: 'the signature does not verify' },
  CKR_WRAPPED_KEY_INVALID: { kind: RefusedError, says: 'the wrapped key does not open' },
  CKR_WRAPPED_KEY_LEN_RANGE: { kind: RefusedError, says: 'the wrapped key has a wrong length' },
  CKR_UNWRAPPING_KEY_HANDLE_INVALID: { kind: RefusedError, says: 'there is no such wrapping key' },
  CKR_CRYPTOKI_NOT_INITIALIZED: { kind: UnavailableError, says: 'the module was shut down' },
};

/** Where `CKR_NAME` stands without a number, the numbers of the few that decide what is done next. */
const CODES: Readonly<Record<string, number>> = {
  CKR_GENERAL_ERROR: 0x05,
  CKR_PIN_INCORRECT: 0xa0,
  CKR_PIN_LOCKED: 0xa4,
  CKR_USER_ALREADY_LOGGED_IN: 0x100,
  CKR_CRYPTOKI_ALREADY_INITIALIZED: 0x191,
};

/** The return value in whatever was thrown, or `undefined` when a module did not answer at all. */
export function returnValueOf(thrown: unknown): ReturnValue | undefined {
  if (!(thrown instanceof Error)) return undefined;
  const match = /\b(CKR_[A-Z0-9_]+)(?::(\d+))?/.exec(thrown.message);
  const name = match?.[1];
  if (name === undefined) return undefined;
  const own = (thrown as { code?: unknown }).code;
  const code =
    match?.[2] !== undefined
      ? Number(match[2])
      : typeof own === 'number' && own !== 0
        ? own
        : (CODES[name] ?? 0);
  return { name, code };
}

/** Whether a module answered with this value. */
export function answered(thrown: unknown, name: `CKR_${string}`): boolean {
  return returnValueOf(thrown)?.name === name;
}

/**
 * The error to report for whatever a call into a module threw.
 * @param where - how people know the token or module: `token "Root"`, `/usr/lib/libx.so`
 * @param doing - what was being done, e.g. `importing the key`; empty where the sentence says it all
 */
export function tokenError(thrown: unknown, where: string, doing = ''): ConclaveError {
  const value = returnValueOf(thrown);
  const subject = doing === '' ? where : `${where}, ${doing}`;
  if (value === undefined) {
    return new InternalError({
      code: 'E_TOKEN_CALL',
      message: `${subject}: a call was made wrongly (${thrown instanceof Error ? thrown.name : typeof thrown})`,
      hint: 'this is a mistake in conclave; please report it',
    });
  }
  const {
    kind: Kind,
    says,
    hint,
  } = meanings[value.name] ?? {
    kind: UnavailableError,
    says: 'the token refused',
  };
  const vendor = value.code >= 0x8000_0000 ? ` 0x${value.code.toString(16)}` : '';
  return new Kind({
    code: `E_TOKEN_${value.name.slice('CKR_'.length)}`,
    message: `${subject}: ${says} (${value.name}${vendor})`,
    ...(hint === undefined ? {} : { hint }),
    details: { ckr: value.name, value: value.code },
  });
}
