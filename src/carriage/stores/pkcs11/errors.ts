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

const absent = 'connect it again; what was not confirmed was not done';
const full = 'free space on the token, or use another';
const pinHint = 'check the PIN on paper before the next attempt: tokens lock after a few';

/** What each return value means, by its name: the decimal of a vendor's own value differs from token to token. */
const sayings: readonly (readonly [Kind, Readonly<Record<string, string>>])[] = [
  [
    UnavailableError,
    {
      CKR_HOST_MEMORY: 'the module ran out of memory',
      CKR_SLOT_ID_INVALID: 'the token is gone',
      CKR_GENERAL_ERROR: 'the module failed and does not say why',
      CKR_FUNCTION_FAILED: 'the token could not do it',
      CKR_ARGUMENTS_BAD: 'the token does not take these parameters',
      CKR_DEVICE_ERROR: 'the token failed',
      CKR_DEVICE_REMOVED: 'the token was removed',
      CKR_TOKEN_NOT_PRESENT: 'the token is not there',
      CKR_TOKEN_NOT_RECOGNIZED: 'the token is not recognised',
      CKR_SESSION_CLOSED: 'the session ended',
      CKR_SESSION_HANDLE_INVALID: 'the session ended',
      CKR_SESSION_COUNT: 'the token takes no more sessions',
      CKR_SESSION_READ_ONLY_EXISTS: 'another session is read-only',
      CKR_SESSION_EXISTS: 'another program has the token open',
      CKR_KEY_HANDLE_INVALID: 'the key is gone',
      CKR_OBJECT_HANDLE_INVALID: 'the object is gone',
      CKR_MECHANISM_INVALID: 'the token has no such mechanism',
      CKR_MECHANISM_PARAM_INVALID: 'the token does not take these parameters',
      CKR_FUNCTION_NOT_SUPPORTED: 'the module has no such function',
      CKR_CURVE_NOT_SUPPORTED: 'the token does not know this curve',
      CKR_DOMAIN_PARAMS_INVALID: 'the token does not know this curve',
      CKR_CRYPTOKI_NOT_INITIALIZED: 'the module was shut down',
    },
  ],
  [
    RefusedError,
    {
      CKR_ATTRIBUTE_READ_ONLY: 'the token sets an attribute itself',
      CKR_ATTRIBUTE_SENSITIVE: 'the token keeps this value to itself',
      CKR_ATTRIBUTE_TYPE_INVALID: 'the token does not know an attribute',
      CKR_ATTRIBUTE_VALUE_INVALID: 'the token does not take keys of this kind',
      CKR_TEMPLATE_INCOMPLETE: 'the token wants more attributes',
      CKR_TEMPLATE_INCONSISTENT: 'the token finds attributes in conflict',
      CKR_ACTION_PROHIBITED: 'the token does not allow it',
      CKR_DATA_LEN_RANGE: 'the token does not take data of this length',
      CKR_KEY_SIZE_RANGE: 'the token does not take a key of this length',
      CKR_KEY_TYPE_INCONSISTENT: 'the key is of another kind',
      CKR_KEY_FUNCTION_NOT_PERMITTED: 'the key is not for this use',
      CKR_KEY_NOT_WRAPPABLE: 'the key may not leave the token',
      CKR_KEY_UNEXTRACTABLE: 'the key may not leave the token',
      CKR_PIN_INCORRECT: 'this is not its PIN',
      CKR_PIN_INVALID: 'a PIN cannot be like that',
      CKR_PIN_LEN_RANGE: 'a PIN of that length is no PIN of it',
      CKR_PIN_EXPIRED: 'its PIN has expired',
      CKR_PIN_LOCKED: 'it is locked after too many wrong PINs',
      CKR_USER_NOT_LOGGED_IN: 'nobody is logged in',
      CKR_USER_PIN_NOT_INITIALIZED: 'it has no user PIN yet',
      CKR_USER_ANOTHER_ALREADY_LOGGED_IN: 'somebody else is logged in',
      CKR_USER_TOO_MANY_TYPES: 'somebody else is logged in',
      CKR_WRAPPED_KEY_INVALID: 'the wrapped key does not open',
      CKR_WRAPPED_KEY_LEN_RANGE: 'the wrapped key has a wrong length',
      CKR_UNWRAPPING_KEY_HANDLE_INVALID: 'there is no such wrapping key',
    },
  ],
  [
    OutputError,
    {
      CKR_DEVICE_MEMORY: 'the token is full',
      CKR_TOKEN_WRITE_PROTECTED: 'the token is write-protected',
      CKR_SESSION_READ_ONLY: 'the token allows no changes here',
    },
  ],
  [
    InternalError,
    {
      CKR_OPERATION_ACTIVE: 'an operation was left open',
    },
  ],
  [
    NegativeError,
    {
      CKR_SIGNATURE_INVALID: 'the signature does not verify',
    },
  ],
];

/** What to do about some of them. */
const hints: Readonly<Record<string, string>> = {
  CKR_SLOT_ID_INVALID: absent,
  CKR_GENERAL_ERROR: 'see whether its own configuration and service are in order',
  CKR_DEVICE_ERROR: absent,
  CKR_DEVICE_MEMORY: full,
  CKR_DEVICE_REMOVED: absent,
  CKR_TOKEN_NOT_PRESENT: absent,
  CKR_SESSION_CLOSED: absent,
  CKR_SESSION_HANDLE_INVALID: absent,
  CKR_SESSION_EXISTS: 'end it first',
  CKR_PIN_INCORRECT: pinHint,
  CKR_PIN_EXPIRED: 'set a new one',
  CKR_PIN_LOCKED: 'its security officer can unlock it',
  CKR_USER_PIN_NOT_INITIALIZED: 'conclave hsm init sets one',
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
  const { name } = value;
  const [Kind, says] = meaningOf(name);
  const hint = hints[name];
  const vendor = value.code >= 0x8000_0000 ? ` 0x${value.code.toString(16)}` : '';
  return new Kind({
    code: `E_TOKEN_${name.slice('CKR_'.length)}`,
    message: `${subject}: ${says} (${name}${vendor})`,
    ...(hint === undefined ? {} : { hint }),
    details: { ckr: name, value: value.code },
  });
}

function meaningOf(name: string): readonly [Kind, string] {
  for (const [kind, says] of sayings) {
    const known = says[name];
    if (known !== undefined) return [kind, known];
  }
  return [UnavailableError, 'the token refused'];
}
