/**
 * Keys that live in tokens, as the rest of conclave sees keys: found by name, id or URI, opened without ever leaving, made,
 * brought in, destroyed.
 */
import { destroyKey, generateKey } from '#carriage/stores/pkcs11/generate';
import { type ImportWay, importKey } from '#carriage/stores/pkcs11/import';
import { familyOf, purposesInToken } from '#carriage/stores/pkcs11/family';
import {
  attributesOf,
  descriptorFor,
  findKey,
  type KeyAttributes,
  type KeyObject,
  type KeySearch,
  shapeOf,
} from '#carriage/stores/pkcs11/object';
import { receiveKey } from '#carriage/stores/pkcs11/receive';
import { formatTokenUri, parseTokenUri, type TokenUri } from '#carriage/stores/pkcs11/uri';
import type { Descriptor, Purpose, RandomSource } from '#crypto/descriptor';
import { keyId } from '#crypto/key-id';
import { type Environment, type KeyRecord, newRecord } from '#custody/authority/record';
import type { TokenKey } from '#custody/authority/token-key';
import { equal, fromHex, toHex } from '#formats/bytes';
import { InputError, UsageError } from '#formats/errors';
import type { SecretBytes } from '#formats/secret-bytes';
import type { OpenKey } from './context.js';
import { claimsOf, openIn, publicSideOf, searchOf } from './token-key-open.js';
import { isSamePlace, type TokenKeyShelf } from './token-key-shelf.js';
import type { OpenToken, TokenPlace, TokenSpace } from './token-space.js';

/** A key to be made in a token. */
export interface WantedKey {
  readonly descriptor: Descriptor;
  readonly name: string | null;
  readonly environment: Environment;
  readonly purposes?: readonly Purpose[] | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
  readonly draft?: string | null | undefined;
}

/** A key to be brought into a token. */
export interface BroughtKey {
  readonly record: KeyRecord;
  readonly descriptor: Descriptor;
  /** Borrowed. */
  readonly secret: SecretBytes;
  readonly way: ImportWay;
  readonly under?: KeySearch | undefined;
}

/** A key that was wrapped elsewhere for an RSA key of a token. */
export interface SentKey extends WantedKey {
  /** Raw public key of a pair; `undefined` for a symmetric key. */
  readonly publicKey: Uint8Array | undefined;
  readonly wrapped: Uint8Array;
  /** How errors name it. */
  readonly what: string;
}

/** A key that is in a token now, and what was checked of it. */
export interface Placed {
  readonly key: TokenKey;
  readonly check: string | undefined;
  /** Whether it crossed the interface in clear. */
  readonly clear: boolean;
}

/** Keys in tokens. */
export interface TokenKeys {
  /** The keys that this home knows. */
  list(): Promise<readonly TokenKey[]>;
  /** The key behind a URI: one that this home knows, else one that is found in the token. @throws MissingInputError `E_KEY_NOT_FOUND` */
  find(uri: TokenUri, place?: Omit<TokenPlace, 'uri'>): Promise<TokenKey>;
  /** Enters the token and finds the key there. The receiver disposes it. @throws NegativeError `E_TOKEN_KEY_OTHER` */
  open(key: TokenKey, place?: Omit<TokenPlace, 'uri'>): Promise<OpenKey>;
  generate(place: TokenPlace, wanted: WantedKey): Promise<Placed>;
  bring(place: TokenPlace, brought: BroughtKey): Promise<Placed>;
  /** Opens a wrapped key inside the token of `under`, where it stays. @throws NegativeError `E_NOT_AUTHENTIC`, `E_TOKEN_CHALLENGE` */
  receive(under: TokenKey, sent: SentKey): Promise<Placed>;
  /** Changes what this home knows of a key. */
  update(key: TokenKey, change: (record: KeyRecord) => KeyRecord): Promise<TokenKey>;
  /** Removes the key from its token; the record stays. */
  destroy(
    key: TokenKey,
    change: (record: KeyRecord) => KeyRecord,
    place?: Omit<TokenPlace, 'uri'>,
  ): Promise<TokenKey>;
}

/** What stands behind them. */
export interface TokenKeysOptions {
  readonly tokens: TokenSpace;
  readonly shelf: TokenKeyShelf;
  readonly now: () => Date;
  readonly random: RandomSource;
}

/** Keys in the tokens that can be reached. */
export function createTokenKeys(options: TokenKeysOptions): TokenKeys {
  const { tokens, shelf, now, random } = options;

  return {
    list: async () => await shelf.list(),

    find: async (uri, place = {}) => {
      const known = (await shelf.list()).filter((key) => isMeant(key, uri));
      if (known.length === 1 && known[0] !== undefined) return known[0];
      using open = await tokens.open({ ...place, uri });
      return await readKey(open, uri, now());
    },

    open: async (key, place = {}) => {
      const open = await tokens.open({ ...place, uri: parseTokenUri(key.uri) });
      try {
        return await openIn(open, key);
      } catch (error) {
        open[Symbol.dispose]();
        throw error;
      }
    },

    generate: async (place, wanted) => {
      const { descriptor, environment } = wanted;
      const implementation = await descriptor.load();
      await shelf.assertFree(wanted.name);
      using open = await tokens.open(place);
      const id = random(16);
      const label = labelOf(wanted.name ?? `key-${toHex(id.subarray(0, 4))}`, environment);
      const purposes = servedPurposes(descriptor, wanted.purposes);
      const made = generateKey(open.token, {
        ...{ descriptor, implementation, label, id, random, purposes },
      });
      const record = newRecord({
        descriptor,
        publicKey: made.publicKey,
        name: wanted.name,
        environment,
        purposes,
        now: now(),
        custody: 'external',
        protocol: 'pkcs11',
        draft: wanted.draft ?? null,
        tags: wanted.tags ?? {},
      });
      const key = knownKey(open, made.key, made.attributes, record, 'generated', '');
      await shelf.keep(key);
      return { key, check: made.check, clear: false };
    },

    bring: async (place, { record, descriptor, secret, way, under }) => {
      const implementation = await descriptor.load();
      const purposes = servedPurposes(descriptor, record.purposes);
      await shelf.assertFree(record.name, record.id);
      using open = await tokens.open(place);
      const imported = importKey(open.token, {
        descriptor,
        implementation,
        secret,
        publicKey: record.publicKey,
        label: labelOf(record.name ?? record.id.slice(0, 16), record.environment),
        id: fromHex(record.id),
        purposes,
        way,
        under,
        random,
      });
      const external: KeyRecord = {
        ...record,
        custody: 'external',
        protocol: 'pkcs11',
        purposes,
      };
      const { check, clear, attributes } = imported;
      const now = knownKey(
        ...([open, imported.key, attributes, external, 'imported', imported.crossing] as const),
      );
      const before = (await shelf.list()).find(
        (known) => isSamePlace(known, now) && known.record.state !== 'destroyed',
      );
      const key = { ...now, crossing: before?.crossing ?? now.crossing };
      await shelf.keep(key);
      return { key, check, clear };
    },

    receive: async (under, { descriptor, publicKey, wrapped, what, ...wanted }) => {
      const implementation = await descriptor.load();
      const { name, environment } = wanted;
      const uri = parseTokenUri(under.uri);
      const purposes = servedPurposes(descriptor, wanted.purposes);
      const id = publicKey === undefined ? random(16) : fromHex(keyId(descriptor, publicKey));
      const label = labelOf(name ?? `key-${toHex(id.subarray(0, 4))}`, environment);
      await shelf.assertFree(name, publicKey === undefined ? undefined : toHex(id));
      using open = await tokens.open({ uri });
      const received = receiveKey(open.token, {
        ...{ descriptor, implementation, publicKey, label, id, purposes, wrapped, what, random },
        under: searchOf(uri),
      });
      const record = newRecord({
        descriptor,
        publicKey: received.publicKey,
        name,
        environment,
        purposes,
        now: now(),
        custody: 'external',
        protocol: 'pkcs11',
        tags: wanted.tags ?? {},
        event: 'imported',
      });
      const { key: object, attributes, crossing, check } = received;
      const key = knownKey(open, object, attributes, record, 'imported', crossing);
      await shelf.keep(key);
      return { key, check, clear: false };
    },

    update: async (key, change) => {
      const changed = { ...key, record: change(key.record) };
      await shelf.keep(changed);
      return changed;
    },

    destroy: async (key, change, place = {}) => {
      const uri = parseTokenUri(key.uri);
      using open = await tokens.open({ ...place, uri });
      open.token.session({ write: true }, (session) => {
        destroyKey(session, findKey(session, searchOf(uri), open.token.name));
      });
      const changed = { ...key, record: change(key.record) };
      await shelf.keep(changed);
      return changed;
    },
  };
}

/** Marked keys say so in their labels, as they do in the names of files. */
function labelOf(name: string, environment: Environment): string {
  return environment === 'production' ? name : `${environment}-${name}`;
}

function environmentOf(label: string): Environment {
  const mark = /^(?<mark>dev|rehearsal)-/.exec(label)?.groups?.['mark'];
  return (mark as Environment | undefined) ?? 'production';
}

/** What a key in a token is for: what was asked for, as far as a token can serve it. @throws UsageError `E_TOKEN_PURPOSE` */
function servedPurposes(
  descriptor: Descriptor,
  wanted: readonly Purpose[] | undefined,
): readonly Purpose[] {
  const served = purposesInToken(descriptor);
  if (wanted === undefined) {
    return (descriptor.defaultPurposes ?? descriptor.purposes).filter((purpose) =>
      served.includes(purpose),
    );
  }
  const unserved = wanted.filter((purpose) => !served.includes(purpose));
  if (unserved.length < wanted.length) return wanted.filter((each) => served.includes(each));
  throw new UsageError({
    code: 'E_TOKEN_PURPOSE',
    message: `a ${descriptor.name} key in a token is not for ${unserved.join(', ')} here`,
    hint: `its purposes in a token are ${served.join(', ')}`,
  });
}

function isMeant(key: TokenKey, wanted: TokenUri): boolean {
  const { device, uri } = key;
  const own = parseTokenUri(uri);
  return (
    key.record.state !== 'destroyed' &&
    (wanted.token === undefined || wanted.token === device.label) &&
    (wanted.serial === undefined || wanted.serial === device.serial) &&
    (wanted.manufacturer === undefined || wanted.manufacturer === device.manufacturer) &&
    (wanted.model === undefined || wanted.model === device.model) &&
    (wanted.object === undefined ||
      wanted.object === own.object ||
      wanted.object === key.record.name) &&
    (wanted.id === undefined || (own.id !== undefined && equal(wanted.id, own.id))) &&
    (wanted.type === undefined || wanted.type === 'public' || wanted.type === own.type)
  );
}

function knownKey(
  open: OpenToken,
  object: KeyObject,
  attributes: KeyAttributes,
  record: KeyRecord,
  origin: TokenKey['origin'],
  crossing: string,
): TokenKey {
  const { description, named } = open;
  const uri = formatTokenUri({
    token: description.label,
    serial: description.serial,
    object: object.label,
    id: object.id,
    type: object.secret ? 'secret-key' : 'private',
    ...(/[/\\]/.test(named) ? { modulePath: named } : { moduleName: named }),
  });
  return { record, uri, origin, crossing, device: claimsOf(description, attributes) };
}

/** What a token tells of a key that this home does not know. */
async function readKey(open: OpenToken, uri: TokenUri, now: Date): Promise<TokenKey> {
  const { token } = open;
  const { object, shape, attributes } = token.session({ write: false }, (session) => {
    const found = findKey(session, searchOf(uri), token.name);
    return {
      object: found,
      shape: shapeOf(session, found),
      attributes: attributesOf(session, found),
    };
  });
  const descriptor = await descriptorFor(shape);
  const family = descriptor === undefined ? undefined : familyOf(descriptor);
  if (descriptor === undefined || family === undefined) {
    throw new InputError({
      code: 'E_TOKEN_KEY_KIND',
      message: `the key ${object.label} in the ${token.name} is of a kind that conclave does not know`,
      hint: 'conclave hsm info lists the keys of a token with their kinds',
    });
  }
  const publicKey = token.session({ write: false }, (session) =>
    publicSideOf(session, { object, descriptor, family }),
  );
  const environment = environmentOf(object.label);
  const name =
    environment === 'production' ? object.label : object.label.slice(environment.length + 1);
  const record = newRecord({
    descriptor,
    publicKey,
    name: /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name) ? name : null,
    environment,
    purposes: servedPurposes(descriptor, undefined),
    now,
    custody: 'external',
    protocol: 'pkcs11',
    event: 'imported',
  });
  return knownKey(open, object, attributes, record, 'found', '');
}
