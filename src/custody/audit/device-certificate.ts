/**
 * What a device's own certificate for a key says: the extensions that a YubiHSM 2 puts into its attestations. The certificate
 * is evidence only as far as its path to the maker's root; that is `crypto/x509`'s business and the verifier's choice of root.
 * @see docs/spec/attestation.md
 */
import { DerReader, TAG } from '#crypto/der';
import { fromUtf8 } from '#formats/bytes';

const ARC = '1.3.6.1.4.1.41482.4';

const TAG_UTF8 = 0x0c;

/** Bit 16 of the capabilities: the key can leave the device, wrapped. */
const EXPORTABLE_UNDER_WRAP = 16;

/** Where a device says that a key came from. */
export type Origin = 'generated' | 'imported' | 'imported wrapped' | 'unknown';

/** What the certificate says of device and key; members are null where it says nothing. */
export interface DeviceCertificateClaims {
  /** `2.3.1`. */
  readonly firmware: string | null;
  readonly serial: number | null;
  readonly origin: Origin | null;
  /** Whether the key can leave the device under a wrapping key. */
  readonly exportable: boolean | null;
  readonly objectId: number | null;
  readonly label: string | null;
}

/**
 * The claims in a certificate's extensions; `undefined` when it has none of a YubiHSM 2.
 * @throws InputError `E_DER_MALFORMED` when one of them has another form than its maker gives it
 */
export function deviceClaims(
  extensions: ReadonlyMap<string, Uint8Array>,
  what: string,
): DeviceCertificateClaims | undefined {
  const value = <T>(arc: number, read: (der: DerReader) => T): T | null => {
    const bytes = extensions.get(`${ARC}.${arc}`);
    if (bytes === undefined) return null;
    const reader = new DerReader(bytes, `${what}: extension ${ARC}.${arc}`);
    const out = read(reader);
    reader.end();
    return out;
  };
  const firmware = value(1, (der) => {
    const version = der.octetString();
    if (version.length !== 3) throw der.fail('a version of other than three bytes');
    return [...version].join('.');
  });
  const serial = value(2, integer);
  const origin = value(3, (der): Origin => {
    const bits = bitsOf(der);
    if (bits.has(4)) return 'imported wrapped';
    if (bits.has(0) === bits.has(1)) return 'unknown';
    return bits.has(0) ? 'generated' : 'imported';
  });
  const exportable = value(5, (der) => bitsOf(der).has(EXPORTABLE_UNDER_WRAP));
  const objectId = value(6, integer);
  const label = value(9, (der) =>
    fromUtf8(der.content(TAG_UTF8), what)
      .replace(/[^\x20-\x7e]/g, '?')
      .slice(0, 40),
  );
  const claims = { firmware, serial, origin, exportable, objectId, label };
  return Object.values(claims).every((claim) => claim === null) ? undefined : claims;
}

function integer(der: DerReader): number {
  const content = der.content(TAG.integer);
  if (content.length === 0 || content.length > 5 || (content[0] as number) > 0x7f) {
    throw der.fail('an integer out of range');
  }
  return content.reduce((sum, byte) => sum * 256 + byte, 0);
}

/** Numbers of the bits that are set, the last bit of the last byte being number 0, as the device counts them. */
function bitsOf(der: DerReader): ReadonlySet<number> {
  const content = der.content(TAG.bitString);
  const unused = content[0] ?? 8;
  if (unused > 7 || content.length > 17) throw der.fail('a bit string out of range');
  const bytes = [...content.subarray(1)].reverse();
  const set = new Set<number>();
  bytes.forEach((byte, i) => {
    for (let bit = 0; bit < 8; bit++) {
      if ((byte >> bit) & 1) set.add(8 * i + bit - unused);
    }
  });
  return set;
}
