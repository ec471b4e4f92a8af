/**
 * All that an action may touch of the world. The command line builds one over files and a terminal, the ceremony engine
 * one over a session; tests build their own. Interfaces only.
 */
import type { StorePlace } from '#carriage/stores/store';
import type { ClaimPlace } from '#carriage/stores/claims';
import type { BackendName } from '#carriage/stores/keychain/backend';
import type { KeychainSecrets } from '#carriage/stores/keychain/secrets';
import type { Descriptor, ReadySigner } from '#crypto/descriptor';
import type { Environment, KeyRecord } from '#custody/authority/record';
import type { Identity, OpenIdentity } from '#custody/authority/identity';
import type { DeviceClaims } from '#custody/audit/attestation';
import type { ChainHead } from '#custody/audit/chain';
import type { ActionDescription } from '#formats/action';
import type { FileSink, FileSource } from '#formats/byte-stream';
import type { Json } from '#formats/canonical-json';
import type { SecretBytes } from '#formats/secret-bytes';
import type { CodeScreen } from './code-screen.js';
import type { GroupKeyShare } from './group-share.js';
import type { ScanSpace } from './scan.js';
import type { TokenKeys } from './token-keys.js';
import type { TokenSpace } from './token-space.js';

/** Deviations from safe defaults that must be named to be allowed; each is recorded. */
export type Waiver = 'n-of-n' | 'threshold-1' | 'draft';

/** A key whose public side is known. */
export interface FoundKey {
  readonly record: KeyRecord;
  readonly descriptor: Descriptor;
  /** Raw public key bytes; for symmetric keys the check value. */
  readonly publicKey: Uint8Array;
  /** Where it rests, for people: `file:/path`, `keychain:…`, `ceremony:…`. */
  readonly location: string;
  /** What the token says that holds it; absent for keys that are not in a token. */
  readonly device?: DeviceClaims | undefined;
}

/** A token that a ceremony's definition names and the site file describes. */
export interface BoundToken {
  /** Its label, or `serial=NUMBER`. */
  readonly token: string;
  readonly module: string;
  /** The bytes of its PIN file, for the caller to wipe; absent where people are asked. */
  readonly readPin?: (() => Uint8Array) | undefined;
}

/** What a key does inside its token, besides signing. */
export interface TokenOperations {
  /** The code of an HMAC key over a message. @throws UsageError `E_KEY_CANNOT_MAC` */
  mac(message: Uint8Array): Uint8Array;
  /** AES-GCM: ciphertext ‖ 16-byte tag. @throws UsageError `E_KEY_CANNOT_ENCRYPT` */
  seal(nonce: Uint8Array, plaintext: Uint8Array, aad: Uint8Array): Uint8Array;
  /** The plaintext, owned by the caller. @throws NegativeError `E_NOT_AUTHENTIC` */
  open(nonce: Uint8Array, sealed: Uint8Array, aad: Uint8Array): Uint8Array;
  /** The shared secret with a peer's raw public key, owned by the caller. @throws UsageError `E_KEY_CANNOT_DERIVE` */
  agree(peer: Uint8Array): Uint8Array;
  /**
   * Has the key do what it is for and checks that outside.
   * @returns what was checked; `undefined` for keys of which nothing can be checked with a public key
   * @throws NegativeError `E_TOKEN_CHALLENGE`
   */
  challenge(random: (length: number) => Uint8Array): string | undefined;
  /** What the token shows as check value of a symmetric key: CKA_CHECK_VALUE; `undefined` where it shows none. */
  checkValue(): Uint8Array | undefined;
}

/** A key with its private side in memory. The receiver disposes it. */
export interface OpenKey extends FoundKey, Disposable {
  /** Raw private form of the descriptor (seed, scalar, key). @throws RefusedError `E_KEY_IN_TOKEN` for a key in a token */
  readonly secret: SecretBytes;
  /** Set for a key in a token: what can be done with it there. It signs by `signer`. */
  readonly inToken?: TokenOperations | undefined;
  /** The same key expanded, where opening it had to expand it; disposed with it. */
  readonly signer?: ReadySigner | undefined;
}

/** Public key material read from any PUB. */
export interface PublicKey {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
  readonly record?: KeyRecord;
  /** Set when PUB was an identity's public file; `bytes` is then its x-wing or signing key as asked. */
  readonly identity?: Identity;
}

/** How a new or changed key is to rest. */
export interface Placement {
  /** Which store; `file` when not given. Goes with neither `out` nor `format`. */
  readonly store?: StorePlace | undefined;
  /** Write there and not into the store. */
  readonly out?: string | undefined;
  /** Leave the private key unencrypted. */
  readonly plaintext?: boolean | undefined;
  /** Seals it, and nobody is asked: for whoever asked before there was a key. Borrowed. */
  readonly passphrase?: SecretBytes | undefined;
  /** Form of the file `out`; default `conclave`, which is PKCS#8 PEM when it is not encrypted. */
  readonly format?: PrivateFormat | undefined;
}

/** Forms of a private key file. All but `conclave` are unencrypted. */
export type PrivateFormat =
  'conclave' | 'pkcs8-pem' | 'pkcs8-der' | 'raw' | 'hex' | 'jwk' | 'cose' | 'ssh' | 'ratify-json';

/** A key whose private side is gone from one place. */
export interface DestroyedKey extends FoundKey {
  /** Locations of copies that were seen on the way, and are still there. */
  readonly copies?: readonly string[];
}

/** The keys that this run can reach. */
export interface KeySpace {
  /** @throws MissingInputError `E_KEY_NOT_FOUND`, UsageError `E_KEY_AMBIGUOUS` */
  find(reference: string): Promise<FoundKey>;
  /** Opens the private side, asking for a passphrase when sealed. @throws RefusedError `E_PASSPHRASE_WRONG` */
  open(reference: string): Promise<OpenKey>;
  /** The sealed key file as it rests, for a copy; `undefined` when the key is not sealed. Only where keys rest in files. */
  sealed?(reference: string): Promise<Uint8Array | undefined>;
  /** Whether a private key file is encrypted in a form of others, which only opening tells more of. Only where keys rest in files. */
  encrypted?(reference: string): Promise<boolean>;
  /** Places a new key; adopts nothing: the caller still disposes `secret`. */
  add(record: KeyRecord, secret: SecretBytes, placement: Placement): Promise<FoundKey>;
  /** Replaces a key's record (state, policy, tags …), re-sealing the private side under it. */
  update(reference: string, change: (record: KeyRecord) => KeyRecord): Promise<FoundKey>;
  /** Overwrites and removes the private side; the public record stays with state `destroyed`. */
  destroy(reference: string, change: (record: KeyRecord) => KeyRecord): Promise<DestroyedKey>;
  /** A key file whose destruction was cut short, which {@link destroy} finishes; undefined for any other key. */
  cutShort?(reference: string): Promise<FoundKey | undefined>;
  /**
   * The share of a group key, checked against its group; the receiver disposes it. Only where keys rest in files.
   * @param person - who brought it to a ceremony and is asked for its passphrase
   */
  readonly openShare?: (reference: string, person?: Person) => Promise<GroupKeyShare>;
  /**
   * Replaces the share of a group key under the passphrase that opened it. Only where keys rest in files.
   * @param before - x_i ‖ r_i that is replaced, borrowed
   * @throws RefusedError `E_SHARE_CHANGED` where neither that nor the new share is there
   */
  readonly replaceShare?: (
    reference: string,
    change: (record: KeyRecord) => KeyRecord,
    share: SecretBytes,
    before: SecretBytes,
  ) => Promise<FoundKey>;
  /** The keys of a store; of the files when not given. */
  list(store?: StorePlace): Promise<readonly FoundKey[]>;
}

/** Identities that this run can reach. */
export interface IdentitySpace {
  find(reference: string): Promise<Identity>;
  /** Opens the private side; the receiver disposes it. Without a reference, the one that `--identity` named, if any. */
  open(reference?: string): Promise<OpenIdentity | undefined>;
  add(identity: OpenIdentity, placement: Placement): Promise<string>;
  list(): Promise<readonly Identity[]>;
}

/** Files as the operator names them; `-` is standard input or output. */
export interface FileSpace {
  /** Whole content. @throws MissingInputError `E_FILE_MISSING`, InputError `E_FILE_TOO_LARGE` */
  read(path: string, maxBytes?: number): Uint8Array;
  /** Atomic, fsynced; 0600 when secret; refuses to overwrite without `--force`. @throws OutputError `E_FILE_EXISTS` */
  write(path: string, bytes: Uint8Array, options?: { readonly secret?: boolean }): void;
  /** Content piece by piece, for what may be larger than memory; the caller closes it. @throws MissingInputError `E_FILE_MISSING` */
  source(path: string): FileSource;
  /** As `write`, piece by piece: nothing is there before it is committed. @throws OutputError `E_FILE_EXISTS` */
  sink(
    path: string,
    options?: { readonly secret?: boolean; readonly restorable?: boolean },
  ): FileSink;
  /** @throws OutputError when any of these outputs exists already: asked before work begins. */
  assertAbsent(paths: readonly string[]): void;
  exists(path: string): boolean;
  /** Names inside a folder; empty when there is none. */
  list(path: string): readonly string[];
  isDirectory(path: string): boolean;
  /** Makes a folder for output and those above it; absent where `write` makes them itself. */
  makeDirectory?(path: string): void;
  /** Files by names that a person just typed, where those reach further than the script's: a medium that somebody brought. */
  readonly named?: Pick<FileSpace, 'exists' | 'read'>;
}

/** A person of the ceremony, or of the command line. */
export interface Person {
  readonly name: string;
  readonly role: string;
  readonly identity?: Identity;
}

/** Questions to people. Where nothing may prompt, a missing answer is a usage error that names the option. */
export interface Asker {
  /** A passphrase to open something: each call offers the next one; `undefined` when there are no more to try. */
  passphrase(question: {
    readonly opens: string;
    readonly attempt: number;
    readonly person?: Person;
    /** Set for what was sealed elsewhere: no passphrase that this ceremony handed out opens it. */
    readonly brought?: true;
  }): Promise<SecretBytes | undefined>;
  /** A new passphrase, typed twice by a person. `undefined` when the operator chose none (`--no-passphrase`). */
  newPassphrase(question: {
    readonly seals: string;
    readonly person?: Person;
  }): Promise<SecretBytes | undefined>;
  /** Whether a passphrase was given without being asked for, by an option. */
  readonly offered?: boolean;
  /** Leave for something that cannot be undone; `undefined` or absent where nobody can be asked. */
  confirm?(question: string): Promise<boolean | undefined>;
  /** The PIN of a token, for a person to type; `left` says how many attempts remain, if the token does. Absent where nobody can be asked. */
  pin?(question: {
    readonly token: string;
    readonly attempt: number;
    readonly left: string;
  }): Promise<SecretBytes | undefined>;
  /** A new PIN, typed twice by a person. */
  newPin?(question: { readonly what: string }): Promise<SecretBytes>;
  /** The people holding a role; outside a ceremony there are none. */
  people(role: string): readonly Person[];
  /** Name of the one person whom a step is for, where it is done once for each. */
  readonly holder?: string;
  /** A longer exchange with whoever is there; undefined or absent where nobody can be asked. */
  converse?(): Promise<Conversation | undefined>;
}

/** A person at a screen, for what takes more than one answer. */
export interface Conversation {
  say(text: string): void;
  choose(
    question: string,
    choices: readonly { readonly value: string; readonly label: string }[],
  ): Promise<string>;
  text(question: string, check?: (value: string) => string | undefined): Promise<string>;
  /** Lines as they are typed, pasted or scanned, until nobody asks for more; absent where they come question by question. */
  lines?(prompt: () => string): AsyncIterable<string>;
  /** Wipes screen and scrollback; absent where nothing is on a screen. */
  clear?(): void;
}

/** One line of the air-gap report. */
export interface AirGapProbe {
  readonly name: string;
  readonly result: 'ok' | 'finding' | 'not-checked';
  readonly detail: string;
}

/** An event for the hash chain of the home or the session; public data only. */
export interface AuditEvent {
  readonly type: string;
  readonly data: { readonly [member: string]: Json };
}

/** One thing that `doctor` looked at. */
export interface Diagnosis {
  readonly subject: string;
  /** `absent` is something optional that is not there; only a `finding` makes the answer no. */
  readonly result: 'ok' | 'absent' | 'finding';
  /** One sentence, lower case, no full stop. */
  readonly detail: string;
  /** What to do about it. */
  readonly advice?: string;
}

/** Small things that are written once and never change: one-time state, containers kept for others, revocations. */
export interface OnceSpace {
  /** Where it lies, for people. */
  readonly location: string;
  /** @param name - `<kind>/<64 hexadecimal digits>` */
  read(name: string, maxBytes?: number): Uint8Array | undefined;
  /** Durable when it returns. @throws RefusedError `E_ONCE_TAKEN` when the name was written before, by any process */
  write(name: string, bytes: Uint8Array): void;
  /** Names of one kind, sorted. */
  list(kind: string): readonly string[];
}

/** A folder held by this process alone until it is disposed. */
export interface HeldFolder extends Disposable {
  readonly path: string;
  /** @param name - lower-case words with hyphens */
  read(name: string): Uint8Array | undefined;
  /** Durable and whole when it returns; mode 0600. */
  replace(name: string, bytes: Uint8Array): void;
  /** Overwrites and removes; nothing happens where there is none. */
  shred(name: string): void;
}

/** Private folders for what lasts from one command to the next. */
export interface HeldFolders {
  exists(path: string): boolean;
  /** Makes the folder when it is not there. @throws TryAgainError `E_LOCKED` when another process holds it */
  hold(path: string): HeldFolder;
}

/** The hash chain that {@link ActionContext.record} appends to, for reading. */
export interface AuditTrail {
  /** Where it lies, for people. */
  readonly location: string;
  /** Its bytes as they stand; `undefined` when nothing was recorded yet. */
  read(): Uint8Array | undefined;
}

/** Where signed statements about the use of keys are kept, beside the log that names them. */
export interface AttestationShelf {
  /** Whether an identity or a copy was named: without, nothing is attested and nothing is loaded for it. */
  readonly wanted: boolean;
  /** Where `--attestation` wants a copy; `undefined` when it was not given. */
  readonly copy: string | undefined;
  /** Folder of the statements. */
  readonly location: string;
  /** Whether there is a log here that could name them. */
  readonly kept: boolean;
  /** The last entry of the log, which the next statement follows. */
  head(): ChainHead | undefined;
  /**
   * Keeps a statement and names it in the log, if `follows` is still the log's head.
   * @returns where it lies; `undefined` when the log went on meanwhile and the statement must be made again
   */
  keep(
    bytes: Uint8Array,
    follows: ChainHead | undefined,
    names: { readonly [member: string]: Json },
  ): string | undefined;
}

/** A line that says how far work is, until it is disposed. */
export interface Gauge extends Disposable {
  /** From 0 to 1. */
  show(part: number): void;
}

/** Everything an action may touch. */
export interface ActionContext {
  /** The way to tokens; loaded when it is first asked for. Absent where there is none. */
  readonly tokens?: (() => Promise<TokenSpace>) | undefined;
  /**
   * The token that a name stands for in this place; absent outside of ceremonies, where tokens are named themselves.
   * @throws TryAgainError `E_TOKEN_UNBOUND` where the site file does not say
   */
  readonly boundToken?: ((name: string) => BoundToken) | undefined;
  /** Keys that live in tokens. */
  readonly tokenKeys?: (() => Promise<TokenKeys>) | undefined;
  readonly now: () => Date;
  /** Bytes from the operating system's generator. */
  readonly random: (length: number) => Uint8Array;
  readonly keys: KeySpace;
  readonly identities: IdentitySpace;
  readonly files: FileSpace;
  readonly ask: Asker;
  /** Mark that everything made here carries. */
  readonly environment: Environment;
  readonly waivers: ReadonlySet<Waiver>;
  /** Environments besides production whose keys may be used where they normally are refused. */
  readonly allowedEnvironments: ReadonlySet<Environment>;
  /** What the machine says of its ways in and out. */
  readonly airGap: () => readonly AirGapProbe[];
  /** Appends to the hash chain of this home or session. */
  readonly record: (event: AuditEvent) => void;
  /** Set inside a ceremony. */
  readonly inCeremony?: true | undefined;
  /**
   * Gives the person whom this step is for an identity by which they take part from here on; only where a step enrols people.
   * @param comparedBy - the role of which one compares its fingerprint
   */
  readonly enrol?: ((comparedBy: string | undefined) => Promise<Identity>) | undefined;
  /** Folders of sessions; absent where none can be kept. */
  readonly folders?: HeldFolders | undefined;
  /** What is written once, in this home or session; absent where nothing is kept. */
  readonly once?: OnceSpace | undefined;
  /** Public files of the identities of others, in this home; absent where nothing is kept. */
  readonly people?: OnceSpace | undefined;
  /** The same chain, for reading; absent where there is none to read. */
  readonly audit?: AuditTrail | undefined;
  /** Keeps attestations; absent in a ceremony, whose transcript attests all of it. */
  readonly attestations?: AttestationShelf | undefined;
  /** Secrets in the desktop's keychain; absent in a ceremony. */
  readonly keychain?: (() => Promise<KeychainSecrets>) | undefined;
  /** Claims in that keychain, by the module that is named or the first that is here: no secrets, so that ceremonies have them too. */
  readonly keychainClaims?: ((backend?: BackendName) => Promise<ClaimPlace>) | undefined;
  /** One line of progress for people; shown on stderr of a terminal only. */
  readonly progress: (message: string) => void;
  /** Seconds that count below that line until they are disposed; absent where nothing may move. */
  readonly counting?: (() => Disposable) | undefined;
  /** Begins to show how far work is, on one line drawn anew in its place; absent where nothing may move. */
  readonly gauge?: ((title: string, about: string) => Gauge) | undefined;
  /** Version of conclave, as written into artifacts. */
  readonly version: string;
  /** Cost parameter log2(N) of scrypt for new passphrase seals (17 outside tests). */
  readonly scryptLogN: number;
  /** Codes from pictures, videos, cameras and scanners; absent where nothing can come in but files. */
  readonly scan?: (() => Promise<ScanSpace>) | undefined;
  /** Where codes are shown; absent where there is nobody to show them to. */
  readonly screen?: (() => Promise<CodeScreen>) | undefined;
  /** Descriptions of all actions, for reading what ceremonies did; absent where nobody gave them. */
  readonly catalogue?: () => Promise<readonly ActionDescription[]>;
  /** What the command line knows of process, optional modules, home and terminal; nothing inside a ceremony. */
  readonly diagnose?: () => Promise<readonly Diagnosis[]>;
}
