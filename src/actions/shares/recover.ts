/**
 * A secret from its shares, in memory: used by `share combine`, and by a ceremony that lost its memory. Nothing is released
 * before everything that can be checked was checked.
 */
import type { Descriptor, RandomSource } from '#crypto/descriptor';
import { keyId } from '#crypto/key-id';
import { resolve } from '#crypto/registry';
import { selfCheck } from '#crypto/self-check';
import type { Environment } from '#custody/authority/record';
import { equal, equalConstantTime, fromHex, toHex } from '#formats/bytes';
import {
  type ConclaveError,
  InputError,
  MissingInputError,
  NegativeError,
  UsageError,
} from '#formats/errors';
import { SecretBytes } from '#formats/secret-bytes';
import { secretCommitment } from '#protocols/sharing/commitment';
import type { BoundPackage } from '#protocols/sharing/bound-package';
import { recombine } from '#protocols/sharing/deal';
import type { VerifiableMark } from '#protocols/sharing/envelope';
import { openPackage, type Package } from '#protocols/sharing/package';
import {
  assertRoot,
  packageBindingOf,
  secretContextOf,
  type ShareSet,
  suiteOf,
} from '#protocols/sharing/share-set';
import { combineSlip39, type NamedSlip39Share, recombineSlip39 } from '#protocols/sharing/slip39';
import { wordsBelong } from './belongs.js';
import { gather, type Gathered, oddShares, onlyEnvelopes, type OpenedShare } from './gather.js';
import type { ShareOpener } from './open.js';
import { assertConsistent, findQuorum, firstQuorum, wrongShares } from './quorum.js';
import { type NamedSet, readShare, type ShareSource } from './sources.js';
import { recoverScalar } from './verifiable.js';

/** A recovered key's public side. */
export interface RecoveredKey {
  readonly descriptor: Descriptor;
  /** Recomputed from the secret. */
  readonly publicKey: Uint8Array;
  readonly id: string;
}

/** What shares gave back. Disposing wipes the secret. */
export interface Recovered extends Disposable {
  /** Raw private form of the key, or the bytes of the file. */
  readonly secret: SecretBytes;
  /** Undefined for a file, and for words whose set is unknown. */
  readonly key: RecoveredKey | undefined;
  /** Hexadecimal; undefined for words without a set description. */
  readonly setId: string | undefined;
  readonly root: string | undefined;
  readonly environment: Environment;
  /** Names of the shares that were used. */
  readonly used: readonly string[];
  readonly duplicates: readonly string[];
  /** One phrase each. */
  readonly checked: readonly string[];
  readonly notChecked: readonly string[];
}

/** What is needed to recover. */
export interface RecoverOptions {
  readonly sources: readonly ShareSource[];
  readonly opener: ShareOpener;
  readonly set: NamedSet | undefined;
  /** For the self-check of a recovered key. */
  readonly random: RandomSource;
}

/**
 * The key behind shares.
 * @throws what {@link recoverSecret} throws, and {@link InputError} `E_SHARES_NO_KEY` when they are of something else
 */
export async function recoverKey(
  options: RecoverOptions,
): Promise<Recovered & { readonly key: RecoveredKey }> {
  const recovered = await recoverSecret(options);
  const { key } = recovered;
  if (key !== undefined) return { ...recovered, key };
  recovered[Symbol.dispose]();
  throw new InputError({
    code: 'E_SHARES_NO_KEY',
    message: 'these shares are of a file, not of a key',
  });
}

/**
 * The secret behind shares, envelopes or words.
 * @returns disposed by the caller
 * @throws {@link NegativeError} `E_SHARE_ODD`, `E_SHARE_CONFLICT`, `E_SHARE_DAMAGED`, `E_SHARES_WRONG`, `E_SHARE_SET_ROOT`,
 * `E_SHARE_SET_KEY`
 * @throws {@link TryAgainError} `E_QUORUM_INCOMPLETE`
 * @throws {@link MissingInputError} `E_PACKAGE_MISSING` when neither shares nor set carry the sealed package
 */
export async function recoverSecret(options: RecoverOptions): Promise<Recovered> {
  const { sources, set } = options;
  if (sources.length === 0) {
    throw new UsageError({
      code: 'E_SHARES_MISSING',
      message: 'no share was given',
      hint: 'name the share files',
    });
  }
  if (set !== undefined) assertRoot(set.file.set, set.name);
  const shares = sources.map(readShare);
  const words = shares.filter((each) => each.kind === 'slip39');
  if (words.length === shares.length) {
    try {
      return await recoverWords(words, options);
    } finally {
      for (const { share } of words) share.value.fill(0);
    }
  }
  const gathered = await gather(onlyEnvelopes(shares), options.opener, set);
  try {
    return await recoverEnvelopes(gathered, options);
  } finally {
    gathered[Symbol.dispose]();
  }
}

async function recoverEnvelopes(gathered: Gathered, options: RecoverOptions): Promise<Recovered> {
  const { header, shares, duplicates } = gathered;
  const { set } = options;
  if (header.verifiable !== undefined)
    return await recoverScalars(gathered, header.verifiable, options);
  const description = set?.file.set;
  const printed = packageOfCard(options.sources, header);
  const sealed = description?.package ?? header.package ?? printed?.sealed;
  const root = header.package?.origin ?? printed?.binding.root ?? header.root;
  const binding =
    description === undefined ? { setId: header.setId, root } : packageBindingOf(description);
  if (sealed === undefined) {
    throw new MissingInputError({
      code: 'E_PACKAGE_MISSING',
      message: 'the sealed package is too long to lie in the shares, and there is no set.json',
      hint: 'give it by --set; every custodian has a copy',
    });
  }
  const checked = ['the package opens under the recombined key'];
  const notChecked: string[] = [];
  let used: readonly OpenedShare[];
  let content: Package;
  if (description === undefined) {
    const found = findQuorum(shares, header.structure, { sealed, binding });
    ({ used, content } = found);
    try {
      notChecked.push(...assertConsistent(shares, used, header.structure));
    } catch (error) {
      content.secret.dispose();
      throw error;
    }
    notChecked.push('commitments: there is no set.json');
  } else {
    // Every share has opened its commitment, so the first quorum is as good as any.
    used = firstQuorum(shares, header.structure);
    const kek = recombine(used);
    try {
      assertKek(kek, description);
      content = openPackage(sealed, kek, binding, 'the sealed package');
    } finally {
      kek.fill(0);
    }
    checked.push(`every share opens its commitment in ${(set as NamedSet).name}`);
    checked.push('the recombined key is the one committed');
  }
  const key = await checkContent(content, description, options.random, checked, notChecked);
  return {
    ...recovered(content.secret),
    key,
    setId: toHex(header.setId),
    root: toHex(header.root),
    environment: header.environment,
    used: used.map(({ name }) => name),
    duplicates,
    checked,
    notChecked,
  };
}

/** A key that was shared itself: what is recombined is the key, if its public key is the one that the shares name. */
async function recoverScalars(
  { header, shares, duplicates }: Gathered,
  mark: VerifiableMark,
  { set, random }: RecoverOptions,
): Promise<Recovered> {
  const { used, secret } = await recoverScalar(shares, mark, header.structure, set);
  const checked = ['the recovered key has the id that the shares name'];
  const notChecked: string[] = [];
  if (set === undefined) notChecked.push('commitments: there is no set.json');
  else {
    checked.push(`every share opens its commitment in ${set.name}`);
    checked.push('every share lies on the polynomial that the set commits to');
  }
  const content = { kind: 'key', algorithm: mark.algorithm, profile: '', secret } as const;
  const key = await checkContent(content, set?.file.set, random, checked, []);
  return {
    ...recovered(secret),
    key,
    setId: toHex(header.setId),
    root: toHex(header.root),
    environment: header.environment,
    used: used.map(({ name }) => name),
    duplicates,
    checked,
    notChecked,
  };
}

/** The sealed package that a card carried beside its share, when it is of this set. */
function packageOfCard(
  sources: readonly ShareSource[],
  { setId }: Gathered['header'],
): BoundPackage | undefined {
  return sources.find(({ carried }) => carried !== undefined && equal(carried.binding.setId, setId))
    ?.carried;
}

async function recoverWords(
  shares: readonly NamedSlip39Share[],
  { set, random }: RecoverOptions,
): Promise<Recovered> {
  const description = set?.file.set;
  if (set !== undefined) assertWordsOf(shares, set);
  const { encrypted, used } = recombineSlip39(shares);
  encrypted.fill(0);
  // Conclave always shares under the empty passphrase: any other gives another secret without an error.
  const secret = combineSlip39(shares, new Uint8Array(0));
  const checked = ['the digest of the recombined secret holds'];
  const notChecked: string[] = [];
  const seen = new Set<string>();
  const duplicates = shares.flatMap(({ name, share }) => {
    const number = `${share.groupIndex}-${share.memberIndex}`;
    if (seen.has(number)) return [name];
    seen.add(number);
    return [];
  });
  const common = { used, duplicates, checked, notChecked };
  if (description === undefined) {
    notChecked.push('what these words are of: there is no set.json');
    const bytes = SecretBytes.adopt(secret, 'shared secret');
    const unknown = { key: undefined, setId: undefined, root: undefined };
    return { ...recovered(bytes), ...unknown, environment: 'production', ...common };
  }
  const content = contentOfWords(secret, description);
  const key = await checkContent(content, description, random, checked, notChecked);
  return {
    ...recovered(content.secret),
    key,
    setId: description.setId,
    root: description.root,
    environment: description.environment,
    ...common,
  };
}

/** What words stand for, by their set: the seed itself, or the key of the sealed package. Adopts `secret`. */
function contentOfWords(secret: Uint8Array, set: ShareSet): Package {
  if (set.splits === 'kek' && set.package !== null) {
    try {
      assertKek(secret, set);
      return openPackage(set.package, secret, packageBindingOf(set), 'the sealed package');
    } finally {
      secret.fill(0);
    }
  }
  const adopted = SecretBytes.adopt(secret, 'shared secret');
  return set.algorithm === null || set.profile === null
    ? { kind: 'file', secret: adopted }
    : { kind: 'key', algorithm: set.algorithm, profile: set.profile, secret: adopted };
}

function assertWordsOf(shares: readonly NamedSlip39Share[], { name, file }: NamedSet): void {
  const odd = shares.filter(({ share }) => !wordsBelong(share, file.set));
  if (odd.length === 0) return;
  const names = odd.map((each) => each.name);
  if (odd.length === shares.length) {
    throw oddShares([name], `${name} does not describe the set of ${names.join(', ')}`);
  }
  throw oddShares(names, `${names.join(', ')}: of another set than ${name}`);
}

/** Recomputes the public key and compares it with the set's; wipes the content when anything is wrong. */
async function checkContent(
  content: Package,
  set: ShareSet | undefined,
  random: RandomSource,
  checked: string[],
  notChecked: string[],
): Promise<RecoveredKey | undefined> {
  try {
    if (set !== undefined && set.kind !== content.kind)
      throw otherContent('another kind of secret');
    if (content.kind === 'file') return undefined;
    const descriptor = await resolve(content.algorithm, content.profile);
    const copy = content.secret.use((bytes) => bytes.slice());
    try {
      const { publicKey } = await selfCheck(descriptor, copy, random);
      const id = keyId(descriptor, publicKey);
      if (set === undefined) notChecked.push('that this is the key that was shared');
      else if (id === set.keyId) checked.push('the recovered key has the public key of the set');
      else throw otherContent('a key with another public key');
      return { descriptor, publicKey, id };
    } finally {
      copy.fill(0);
    }
  } catch (error) {
    content.secret.dispose();
    throw error;
  }
}

function assertKek(kek: Uint8Array, set: ShareSet): void {
  const suite = suiteOf(set);
  const expected = set.kekCommitment === null ? undefined : fromHex(set.kekCommitment);
  if (
    expected !== undefined &&
    kek.length === 32 &&
    equalConstantTime(secretCommitment(suite, secretContextOf(set), kek), expected)
  ) {
    return;
  }
  throw wrongShares('what they recombine to is not what was committed');
}

function recovered(secret: SecretBytes): Pick<Recovered, 'secret' | typeof Symbol.dispose> {
  return {
    secret,
    [Symbol.dispose]: () => {
      secret.dispose();
    },
  };
}

function otherContent(what: string): ConclaveError {
  return new NegativeError({
    code: 'E_SHARE_SET_KEY',
    message: `these shares recombine to ${what} than set.json says`,
    hint: 'set.json and shares do not belong together, or one was changed',
  });
}
