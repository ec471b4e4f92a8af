/**
 * One session with a token, for one operation. An operation that a token was left in the middle of blocks the session even for
 * searches, so that sessions are never shared and always closed.
 */
import { type ConclaveError, InternalError } from '#formats/errors';
import { type Attribute, type Cryptoki, type Handle, ulong } from './cryptoki.js';
import { returnValueOf, tokenError } from './errors.js';

/** A mechanism with its parameter, as pkcs11js takes it. */
export interface Mechanism {
  readonly mechanism: number;
  readonly parameter?: MechanismParameter;
}

/** Bytes, or a structure that pkcs11js builds; which one is told by `type`. */
export type MechanismParameter = NonNullable<Parameters<Cryptoki['C_SignInit']>[1]['parameter']>;

/** More objects under one label and id than this are nobody's intention. */
const MAX_FOUND = 4096;

/** The values that a token gives instead of an attribute which it keeps or does not have. */
const NOT_TOLD: ReadonlySet<string> = new Set([
  'CKR_ATTRIBUTE_TYPE_INVALID',
  'CKR_ATTRIBUTE_SENSITIVE',
]);

/** An open session. Every error is a sentence about the token. */
export class Session {
  readonly #api: Cryptoki;
  readonly #handle: Handle;
  readonly #where: string;

  constructor(api: Cryptoki, handle: Handle, where: string) {
    this.#api = api;
    this.#handle = handle;
    this.#where = where;
  }

  /** Handles of all objects with these attributes. */
  find(template: readonly Attribute[]): readonly Handle[] {
    return this.#call('searching', (api, session) => {
      api.C_FindObjectsInit(session, [...template]);
      try {
        const found: Handle[] = [];
        while (found.length < MAX_FOUND) {
          const more = api.C_FindObjects(session, 64);
          if (more.length === 0) break;
          found.push(...more);
        }
        return found;
      } finally {
        api.C_FindObjectsFinal(session);
      }
    });
  }

  /** An attribute, or `undefined` where the object has none or the token keeps it. */
  attribute(object: Handle, type: number): Buffer | undefined {
    try {
      const [read] = this.#api.C_GetAttributeValue(this.#handle, object, [{ type }]);
      return read?.value;
    } catch (error) {
      if (NOT_TOLD.has(returnValueOf(error)?.name ?? '')) return undefined;
      throw tokenError(error, this.#where, 'reading an attribute');
    }
  }

  /** An attribute that is a number. */
  number(object: Handle, type: number): bigint | undefined {
    const value = this.attribute(object, type);
    return value === undefined || value.length === 0 ? undefined : ulong(value);
  }

  /** An attribute that is true or false; `undefined` where the token does not tell. */
  flag(object: Handle, type: number): boolean | undefined {
    const value = this.attribute(object, type);
    return value === undefined || value.length === 0 ? undefined : value[0] !== 0;
  }

  create(template: readonly Attribute[], doing: string): Handle {
    return this.#call(doing, (api, session) => api.C_CreateObject(session, [...template]));
  }

  destroy(object: Handle): void {
    this.#call('destroying an object', (api, session) => {
      api.C_DestroyObject(session, object);
    });
  }

  generateKey(mechanism: Mechanism, template: readonly Attribute[]): Handle {
    return this.#call('generating the key', (api, session) =>
      api.C_GenerateKey(session, mechanism, [...template]),
    );
  }

  generateKeyPair(
    mechanism: Mechanism,
    publicTemplate: readonly Attribute[],
    privateTemplate: readonly Attribute[],
  ): { readonly publicKey: Handle; readonly privateKey: Handle } {
    return this.#call('generating the key', (api, session) =>
      api.C_GenerateKeyPair(session, mechanism, [...publicTemplate], [...privateTemplate]),
    );
  }

  unwrap(
    mechanism: Mechanism,
    wrappingKey: Handle,
    wrapped: Buffer,
    template: readonly Attribute[],
  ): Handle {
    return this.#call('unwrapping the key', (api, session) =>
      api.C_UnwrapKey(session, mechanism, wrappingKey, wrapped, [...template]),
    );
  }

  derive(mechanism: Mechanism, key: Handle, template: readonly Attribute[]): Handle {
    return this.#call('agreeing on a key', (api, session) =>
      api.C_DeriveKey(session, mechanism, key, [...template]),
    );
  }

  /** @param capacity - longest signature in bytes; a shorter buffer would leave the operation open */
  sign(mechanism: Mechanism, key: Handle, data: Uint8Array, capacity: number): Uint8Array {
    return this.#call('signing', (api, session) => {
      api.C_SignInit(session, mechanism, key);
      return new Uint8Array(api.C_Sign(session, asBuffer(data), Buffer.alloc(capacity)));
    });
  }

  /** The caller owns the result. */
  encrypt(mechanism: Mechanism, key: Handle, data: Uint8Array, capacity: number): Uint8Array {
    return this.#call('encrypting', (api, session) => {
      api.C_EncryptInit(session, mechanism, key);
      return new Uint8Array(api.C_Encrypt(session, asBuffer(data), Buffer.alloc(capacity)));
    });
  }

  /** The caller owns and wipes the result. */
  decrypt(mechanism: Mechanism, key: Handle, data: Uint8Array, capacity: number): Uint8Array {
    const out = Buffer.alloc(capacity);
    try {
      return this.#call('decrypting', (api, session) => {
        api.C_DecryptInit(session, mechanism, key);
        return new Uint8Array(api.C_Decrypt(session, asBuffer(data), out));
      });
    } finally {
      out.fill(0);
    }
  }

  #call<T>(doing: string, work: (api: Cryptoki, session: Handle) => T): T {
    try {
      return work(this.#api, this.#handle);
    } catch (error) {
      throw asReported(error, this.#where, doing);
    }
  }
}

/** A view, not a copy: what the caller wipes is all there is on this side. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function asReported(error: unknown, where: string, doing: string): ConclaveError {
  return error instanceof InternalError ? error : tokenError(error, where, doing);
}
