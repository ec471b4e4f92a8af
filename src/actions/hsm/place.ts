/** What every `hsm` command is told of its token, and how a key in it is named. */
import { formatTokenUri, parseTokenUri, type TokenUri } from '#carriage/stores/pkcs11/uri';
import { type StorePlace, storeUnavailable } from '#carriage/stores/store';
import type { Environment, KeyRecord } from '#custody/authority/record';
import { RefusedError, UsageError } from '#formats/errors';
import type { ActionContext } from '../context/context.js';
import { tokenOf } from '../context/references.js';
import type { TokenKeys } from '../context/token-keys.js';
import type { TokenPlace, TokenSpace } from '../context/token-space.js';

/** Fields of a module alone. */
export const moduleField = {
  module: {
    type: 'string',
    summary: 'the library of PKCS#11: a path, a name such as softhsm2, or sandbox',
    placeholder: 'LIB',
  },
} as const;

/** Fields of a token and of who enters it. */
export const tokenFields = {
  ...moduleField,
  token: {
    type: 'string',
    summary: 'the token: its label, or serial=NUMBER',
    required: true,
    placeholder: 'LABEL',
  },
  pinFile: { type: 'file', summary: 'file with its PIN; asked for when not given' },
} as const;

/** Values of these fields. */
export interface TokenInput {
  readonly module?: string | undefined;
  readonly token: string;
  readonly pinFile?: string | undefined;
}

/**
 * Where the token is. In a ceremony the definition only gives it a name, and the site file says which token that is here.
 * @throws TryAgainError `E_TOKEN_UNBOUND` where it does not
 */
export function placeOf(
  { module, token, pinFile }: TokenInput,
  { boundToken }: Pick<ActionContext, 'boundToken'>,
): TokenPlace {
  if (boundToken === undefined) return { uri: tokenOf(token), module, pinFile };
  const bound = boundToken(token);
  return { uri: tokenOf(bound.token), module: bound.module, readPin: bound.readPin };
}

/**
 * The URI of a key in the token: the key may also be given as a URI of its own.
 * @throws UsageError `E_TOKEN_OTHER` when that URI names another token
 */
export function uriOf(key: string, { uri: token }: TokenPlace): TokenUri {
  if (!key.startsWith('pkcs11:')) return parseTokenUri(formatTokenUri({ ...token, object: key }));
  const own = parseTokenUri(key);
  for (const part of ['token', 'serial'] as const) {
    if (own[part] === undefined || token[part] === undefined || own[part] === token[part]) continue;
    throw new UsageError({
      code: 'E_TOKEN_OTHER',
      message: `${key} is in the token ${own[part]}, and ${token[part]} was named`,
      hint: 'name the token that the key is in',
    });
  }
  return { ...token, ...own };
}

/** The way to tokens. @throws UnavailableError `E_STORE_UNAVAILABLE` where there is none */
export async function tokensOf({ tokens }: ActionContext): Promise<TokenSpace> {
  if (tokens === undefined) throw storeUnavailable('pkcs11' satisfies StorePlace['kind']);
  return await tokens();
}

/** The way to keys in tokens. @throws UnavailableError `E_STORE_UNAVAILABLE` where there is none */
export async function tokenKeysOf({ tokenKeys }: ActionContext): Promise<TokenKeys> {
  if (tokenKeys === undefined) throw storeUnavailable('pkcs11' satisfies StorePlace['kind']);
  return await tokenKeys();
}

/**
 * Keys that are marked as worthless do not go into tokens for production by mistake.
 * @throws RefusedError `E_KEY_ENVIRONMENT`
 */
export function assertEnvironment(record: KeyRecord, context: ActionContext): void {
  const allowed: ReadonlySet<Environment> = context.allowedEnvironments;
  const { environment } = record;
  if (environment === 'production' || environment === context.environment) return;
  if (allowed.has(environment)) return;
  throw new RefusedError({
    code: 'E_KEY_ENVIRONMENT',
    message: `key ${record.name ?? record.id.slice(0, 16)} is a ${environment} key, and a token is for real ones`,
    hint: `to try it, say --allow-environment ${environment}`,
  });
}
