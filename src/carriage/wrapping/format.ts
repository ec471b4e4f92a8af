/**
 * What every way of wrapping has in common: a key or a file, sealed to one or more public keys that others hold. One file per
 * format in this folder, one row each in `table.ts`; the actions know this interface only.
 */
import type { Descriptor, RandomSource } from '#crypto/descriptor';
import type { ByteSink, ByteSource } from '#formats/byte-stream';
import type { JsonObject } from '#formats/canonical-json';
import type { SecretBytes } from '#formats/secret-bytes';

/** Mark of what must not pass for the real thing. */
export type Mark = 'production' | 'rehearsal' | 'dev';

/** Longest file of a provider that is read as a wrapping key. */
export const MAX_DOCUMENT_BYTES = 256 * 1024;

/** Whom something is wrapped to: one `--to`. */
export type Target =
  | {
      readonly kind: 'public-key';
      /** As typed. */
      readonly name: string;
      readonly descriptor: Descriptor;
      /** Raw public key. */
      readonly publicKey: Uint8Array;
    }
  | {
      /** A file in a provider's own form, which only that provider's format reads. */
      readonly kind: 'document';
      readonly name: string;
      readonly bytes: Uint8Array;
    };

/** What the header of a wrapped key says of it. */
export interface KeyFacts {
  /** 64 hexadecimal digits. */
  readonly id: string;
  readonly algorithm: string;
  readonly profile: string;
  readonly purposes: readonly string[];
  /** `sha256:HEX`, or null. */
  readonly policy: string | null;
}

/** What is wrapped; all of it borrowed. */
export type Content =
  | {
      readonly kind: 'key';
      readonly descriptor: Descriptor;
      /** Raw private form. */
      readonly secret: SecretBytes;
      readonly facts: KeyFacts;
      /** The public record's canonical bytes, for formats that carry it. */
      readonly record: Uint8Array;
    }
  | { readonly kind: 'file'; readonly source: ByteSource };

/** One wrapping. */
export interface WrapRequest {
  readonly content: Content;
  /** At least one. */
  readonly targets: readonly Target[];
  readonly environment: Mark;
  /** The same mark as text for people, where a format can only carry that; empty for production. */
  readonly mark: string;
  /** How often this content was wrapped again before: 0 the first time. */
  readonly epoch: number;
  /** The provider's name for the algorithm, where one was named. */
  readonly algorithm?: string | undefined;
  /** Text instead of binary, where the format has it. */
  readonly armor?: boolean | undefined;
  /** Who holds the key that opens it, for formats that say so. */
  readonly custody?: 'custodial' | 'self' | undefined;
  /** UTC time to the second. */
  readonly created: string;
  /** Version of conclave, for envelopes that name their generator. */
  readonly version: string;
  readonly random: RandomSource;
  /** Where the result goes; nothing of it counts unless `wrap` returns. */
  readonly sink: ByteSink;
}

/** What was made. */
export interface WrapReport {
  /** Facts for people and scripts; public. */
  readonly details: JsonObject;
  /** What to be aware of, one sentence each. */
  readonly notes: readonly string[];
  /** The provider's next commands. @param out - the file's name, as a word of a shell */
  readonly next?: ((out: string) => readonly string[]) | undefined;
  /** Public files that go with it: what is added to its name, and the content. */
  readonly companions?:
    readonly { readonly suffix: string; readonly bytes: Uint8Array }[] | undefined;
}

/** A private key that may open something. */
export interface OpeningKey {
  readonly descriptor: Descriptor;
  /** Raw private form; stays with whoever lends it. */
  readonly secret: SecretBytes;
  /** Raw public key. */
  readonly publicKey: Uint8Array;
  /** 64 hexadecimal digits. */
  readonly id: string;
}

/** Keys and passphrases that may open something, fetched when they are wanted. */
export interface Openers {
  /** @param ids - key ids that the container names; empty when it names none */
  keys(ids: readonly string[]): Promise<readonly OpeningKey[]>;
  /** A passphrase to try; `undefined` when there are no more. The receiver disposes it. */
  passphrase(attempt: number): Promise<SecretBytes | undefined>;
}

/** One opening. */
export interface UnwrapRequest {
  readonly source: ByteSource;
  /** How errors name the input. */
  readonly name: string;
  readonly openers: Openers;
}

/** What was opened. Disposing wipes what it holds; the source of a file ends with it. */
export type Opened = Disposable & {
  /** What it says it is; undefined where the format carries no mark. */
  readonly environment: Mark | undefined;
  readonly epoch: number;
  readonly details: JsonObject;
} & (
    | {
        readonly kind: 'key';
        readonly descriptor: Descriptor;
        /** Raw private form. */
        readonly secret: SecretBytes;
        /** Canonical bytes of the record that came along, and what the container says of the key in clear. */
        readonly carried: { readonly record: Uint8Array; readonly facts: KeyFacts } | undefined;
      }
    | {
        readonly kind: 'file';
        /** Gives a piece only after it was authenticated; throws where the rest does not. */
        readonly source: ByteSource;
      }
  );

/** How many first bytes of an input are enough to recognise it. */
export const HEAD_BYTES = 1024;

/** One format. */
export interface WrappingFormat {
  /** As `--format` takes it. */
  readonly name: string;
  /** Whether it says in whose custody a key is. */
  readonly custody?: true;
  /** Whether an input that begins so is of this format; cheap, never throws. */
  detect(head: Uint8Array): boolean;
  /** Whether `--to` alone tells that this format is meant. The first row of the table that says so is taken. */
  claims(target: Target): boolean;
  /** DER of the SPKI inside a document of this format, for its digest; absent where there are no documents. */
  spki?(target: Target): Uint8Array | Promise<Uint8Array>;
  /**
   * Wraps.
   * @throws UsageError `E_WRAP_TARGET` when it cannot wrap to one of the targets, `E_WRAP_CONTENT` when it cannot carry the content
   */
  wrap(request: WrapRequest): Promise<WrapReport>;
  /**
   * Opens; absent where only the provider can.
   * @throws NegativeError `E_NOT_AUTHENTIC`, one message whatever is wrong
   */
  unwrap?(request: UnwrapRequest): Promise<Opened>;
}
