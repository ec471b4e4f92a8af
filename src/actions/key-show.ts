import type { Descriptor } from '#crypto/descriptor';
import { heldBy, type HeldBy } from '#custody/authority/held-by';
import { recordJson } from '#custody/authority/record';
import { fromBase64, toHex } from '#formats/bytes';
import { UnavailableError, UsageError } from '#formats/errors';
import { defineAction } from './action.js';
import type { ActionContext } from './context/context.js';
import { fingerprints } from './context/fingerprints.js';

/** `conclave key show`. */
export const keyShow = defineAction({
  id: 'key.show',
  summary: 'show what is known of a key',
  description:
    'Shows the public record of a key: algorithm, state, purposes, history, and the names that it has elsewhere: its JWK thumbprint ' +
    '(RFC 7638), its SSH fingerprint, its AWS KMS key specification. A symmetric key has a check value instead of a public key. ' +
    'Nothing is opened, so no passphrase is needed, but for a file that is encrypted as a whole, and with --kcv: it opens a symmetric ' +
    'key and shows beside conclave’s own check value the three bytes that hardware security modules show (CKA_CHECK_VALUE of PKCS#11): ' +
    'of an AES key the beginning of AES-ECB of a block of zeroes, of an HMAC key that of its SHA-1 hash, of a key in a token what the ' +
    'token tells.',
  inputs: {
    key: { type: 'key', summary: 'the key', required: true, positional: 0 },
    kcv: {
      type: 'boolean',
      summary: 'open a symmetric key, and show the check value that hardware security modules show',
    },
  },
  outputs: { record: { type: 'report', summary: 'its record' } },
  options: ['passphrase'],
  effect: 'none',
  examples: [
    { command: 'conclave key show release', explains: 'a key of the store' },
    { command: 'conclave key show ./dev-1f2e3d4c.key', explains: 'a key file' },
    {
      command: 'conclave key show archive --kcv',
      explains: 'a symmetric key, to be compared with the display of a module',
    },
  ],
  async run({ key, kcv }, context) {
    const { record, descriptor, publicKey, location } = await context.keys.find(key);
    if (kcv === true && descriptor.kind !== 'symmetric') throw noCheckValue(key, descriptor);
    const { jwkThumbprint, sshFingerprint, awsKeySpec } = fingerprints(descriptor, publicKey);
    const isSymmetric = descriptor.kind === 'symmetric';
    return {
      location,
      heldBy: heldBy(record) ?? null,
      checkValue: isSymmetric ? toHex(publicKey) : null,
      hsmCheckValue: kcv === true ? await hsmCheckValue(key, context) : null,
      jwkThumbprint: jwkThumbprint ?? null,
      sshFingerprint: sshFingerprint ?? null,
      awsKeySpec: awsKeySpec ?? null,
      category: descriptor.category,
      status: descriptor.status,
      spec: descriptor.spec,
      record: recordJson(record),
    };
  },
  present: (shown) => {
    const { record, location, category, status, spec } = shown;
    const { history, tags, publicKey, type, version, ...rest } = record as Record<string, unknown>;
    const events = history as readonly Record<string, string>[];
    const pairs: [string, string][] = [
      ...Object.entries(rest)
        .filter(([, value]) => value !== null && value !== '')
        .map(([name, value]): [string, string] => [spaced(name), textOf(value)]),
      shown.checkValue === null
        ? ['public key', `${fromBase64(publicKey as string).length} bytes`]
        : ['check value', `${shown.checkValue} (conclave’s own)`],
      ...(shown.hsmCheckValue === null ? [] : [hsmLine(shown.hsmCheckValue)]),
      ...named('JWK', shown.jwkThumbprint),
      ...named('SSH', shown.sshFingerprint),
      ...named('AWS key spec', shown.awsKeySpec),
      ...Object.entries(tags as Record<string, string>).map(([name, value]): [string, string] => [
        'tag',
        `${name}=${value}`,
      ]),
      ...(shown.heldBy === null ? [] : [custodyLine(shown.heldBy)]),
      ['security', `category ${category}, ${status} (${spec})`],
      ['rests in', location],
      ...events.map(({ event, time, reason }): [string, string] => [
        'history',
        `${time ?? ''} ${event ?? ''}${reason === undefined ? '' : `: ${reason}`}`,
      ]),
    ];
    const heading = `${textOf(type)} version ${textOf(version)}`;
    return [heading, ...pairs.map(([name, value]) => `${name.padEnd(13)} ${value}`)].join('\n');
  },
});

/** Who holds the key that opens it, where that was decided: see docs/wrapping.md, "Envelopes". */
function custodyLine(held: HeldBy): [string, string] {
  return [
    'held by',
    held === 'self'
      ? 'its owner (self custody)'
      : 'a custodian, for its owner (custodial): who holds the key-encryption key can open it',
  ];
}

/** What a hardware security module shows of the key, in its way of writing it. */
interface HsmCheckValue {
  readonly value: string;
  /** How it was computed; `null` for a value that a token tells. */
  readonly method: string | null;
}

async function hsmCheckValue(key: string, context: ActionContext): Promise<HsmCheckValue | null> {
  using open = await context.keys.open(key);
  const implementation = await open.descriptor.load();
  if (implementation.kind !== 'symmetric') return null;
  if (open.inToken !== undefined) {
    // The token's own word: the key itself is not to be had.
    const shown = open.inToken.checkValue();
    if (shown !== undefined) return { value: toHex(shown).toUpperCase(), method: null };
    throw new UnavailableError({
      code: 'E_TOKEN_CHECK_VALUE',
      message: `the token shows no check value of ${key}`,
      hint: 'compare the conclave check value, or ask the module by its own tools',
    });
  }
  const { method, checkValue } = implementation.hsm;
  return { value: toHex(open.secret.use(checkValue)).toUpperCase(), method };
}

function hsmLine({ value, method }: HsmCheckValue): [string, string] {
  const how =
    method === null
      ? 'by its token'
      : `first 3 bytes of ${method}, as hardware security modules show it`;
  return ['KCV', `${value} (${how})`];
}

function noCheckValue(key: string, { name }: Descriptor): UsageError {
  return new UsageError({
    code: 'E_KEY_NOT_SYMMETRIC',
    message: `${key} is a ${name} key, which has a public key and no check value`,
    hint: 'leave --kcv out',
  });
}

/** A name that the key has elsewhere, if it has one. */
function named(where: string, name: string | null): [string, string][] {
  return name === null ? [] : [[where, name]];
}

function spaced(member: string): string {
  return member.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.join(', ');
  return typeof value === 'string' || typeof value === 'number'
    ? String(value)
    : JSON.stringify(value);
}
