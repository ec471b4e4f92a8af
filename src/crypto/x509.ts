/**
 * X.509, as much of it as evidence from a device needs: the fields and extensions of a certificate, and a path from it to a
 * root that the verifier brought along. Signatures are node:crypto's; nothing is fetched, and no root is built in.
 * @see RFC 5280 §4.1, §6.1
 */
import { X509Certificate } from 'node:crypto';
import { equal, fromUtf8, utf8 } from '#formats/bytes';
import { InputError } from '#formats/errors';
import { decodePem } from '#formats/pem';
import { DerReader, TAG } from './der.js';

/** Longest path from a device's certificate to a root. */
const MAX_PATH = 8;

/** Most certificates in one file. */
const MAX_CERTIFICATES = 32;

/** One certificate. */
export interface Certificate {
  /** Names as one line each, for people. */
  readonly subject: string;
  readonly issuer: string;
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Whether it may issue others. */
  readonly ca: boolean;
  /** Values of the extensions by dotted identifier: the content of `extnValue`. */
  readonly extensions: ReadonlyMap<string, Uint8Array>;
  readonly der: Uint8Array;
}

/** Whether a path was found; `path` begins with the certificate and ends with the root. */
export type PathVerdict =
  | { readonly ok: true; readonly path: readonly Certificate[] }
  | { readonly ok: false; readonly reason: string };

/**
 * The certificates in a file: one DER, or any number of PEM blocks.
 * @throws InputError `E_CERTIFICATE_MALFORMED`, `E_DER_MALFORMED`, and the errors of the PEM reader
 */
export function parseCertificates(bytes: Uint8Array, what: string): readonly Certificate[] {
  if (bytes[0] === TAG.sequence) return [parseCertificate(bytes, what)];
  const texts = fromUtf8(bytes, what).split(/(?<=-----END CERTIFICATE-----\r?\n)(?=[^])/);
  if (texts.length > MAX_CERTIFICATES) {
    throw new InputError({
      code: 'E_CERTIFICATE_MALFORMED',
      message: `${what} holds more than ${MAX_CERTIFICATES} certificates`,
    });
  }
  return texts.map((text) => {
    const { label, bytes: der } = decodePem(utf8(text), what);
    if (label === 'CERTIFICATE') return parseCertificate(der, what);
    throw new InputError({
      code: 'E_CERTIFICATE_MALFORMED',
      message: `${what} holds a ${label}, not only certificates`,
    });
  });
}

function parseCertificate(der: Uint8Array, what: string): Certificate {
  const own = der.slice();
  let node: X509Certificate;
  try {
    node = new X509Certificate(own);
  } catch (cause) {
    throw new InputError({
      code: 'E_CERTIFICATE_MALFORMED',
      message: `${what} is no X.509 certificate`,
      cause,
    });
  }
  const { spki, extensions } = partsOf(own, what);
  return {
    subject: oneLine(node.subject),
    issuer: oneLine(node.issuer),
    spki,
    notBefore: new Date(node.validFrom),
    notAfter: new Date(node.validTo),
    ca: node.ca,
    extensions,
    der: own,
  };
}

/** What node:crypto does not tell: the key's own encoding, and extensions that it does not know. */
function partsOf(
  der: Uint8Array,
  what: string,
): { readonly spki: Uint8Array; readonly extensions: ReadonlyMap<string, Uint8Array> } {
  const outer = new DerReader(der, what);
  const certificate = outer.sequence();
  outer.end();
  const tbs = certificate.sequence();
  const extensions = new Map<string, Uint8Array>();
  if (tbs.peek() === CONSTRUCTED_0) tbs.content(CONSTRUCTED_0);
  tbs.content(TAG.integer);
  // Algorithm, issuer, validity, subject.
  for (let i = 0; i < 4; i++) tbs.content(TAG.sequence);
  const keyBody = tbs.content(TAG.sequence);
  const spki = encloseIn(der, keyBody);
  while (tbs.peek() !== undefined) {
    const tag = tbs.peek() as number;
    const content = tbs.content(tag);
    if (tag !== CONSTRUCTED_3) continue;
    const list = new DerReader(content, what).sequence();
    while (list.peek() !== undefined) {
      const one = list.sequence();
      const oid = one.oid();
      if (one.peek() === TAG_BOOLEAN) one.content(TAG_BOOLEAN);
      if (extensions.has(oid)) throw list.fail(`two extensions ${oid}`);
      extensions.set(oid, one.octetString());
      one.end();
    }
  }
  return { spki, extensions };
}

const TAG_BOOLEAN = 0x01;
const CONSTRUCTED_0 = 0xa0;
const CONSTRUCTED_3 = 0xa3;

/** The whole value whose content is a view into `der`: identifier and length stand just before it. */
function encloseIn(der: Uint8Array, content: Uint8Array): Uint8Array {
  const end = content.byteOffset - der.byteOffset + content.length;
  const head =
    content.length < 0x80 ? 2 : content.length < 0x100 ? 3 : content.length < 0x10000 ? 4 : 5;
  return der.slice(end - content.length - head, end);
}

/**
 * A path from a certificate to one of the roots, each certificate valid at `at`, each issuer allowed to issue.
 * @param roots - what the verifier trusts; what is not among them is never trusted
 */
export function findPath(
  certificate: Certificate,
  intermediates: readonly Certificate[],
  roots: readonly Certificate[],
  at: Date,
): PathVerdict {
  const path: Certificate[] = [certificate];
  for (;;) {
    const last = path.at(-1) as Certificate;
    if (at < last.notBefore || at > last.notAfter) {
      return { ok: false, reason: `the certificate of ${last.subject} is not valid at that time` };
    }
    if (roots.some((root) => equal(root.der, last.der))) {
      return path.length > 1
        ? { ok: true, path }
        : { ok: false, reason: 'the certificate is itself given as the root' };
    }
    if (path.length >= MAX_PATH) {
      return { ok: false, reason: `no root within ${MAX_PATH} certificates` };
    }
    const issuer = [...roots, ...intermediates].find(
      (each) => !path.includes(each) && each.ca && issued(last, each),
    );
    if (issuer === undefined) {
      return { ok: false, reason: `nobody given here issued the certificate of ${last.subject}` };
    }
    path.push(issuer);
  }
}

function issued(certificate: Certificate, issuer: Certificate): boolean {
  const [one, other] = [new X509Certificate(certificate.der), new X509Certificate(issuer.der)];
  return one.checkIssued(other) && one.verify(other.publicKey);
}

/** Names come from a file: one line, nothing that a terminal would act on. */
function oneLine(name: string): string {
  return name
    .replace(/\n/g, ', ')
    .replace(/[^\x20-\x7e]/g, '?')
    .slice(0, 200);
}
