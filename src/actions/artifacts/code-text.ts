/** The text of QR codes, a code in each line, as `qr show --text` writes it and scanners type it. */
import { digestText } from '#carriage/transport/payload';
import { type Arrival, Receiver } from '#carriage/transport/receiver';
import { looksLikeUr } from '#carriage/transport/ur';
import { sha256 } from '#crypto/hash';
import type { JsonObject } from '#formats/canonical-json';
import { InputError } from '#formats/errors';
import type { ArtifactKind, Claim } from './artifact.js';

/** Name of the kind. */
export const CODE_TEXT = 'code-text';

/** What lines of codes carry. */
export interface CodeText {
  readonly lines: number;
  /** Everything that is whole. */
  readonly arrivals: readonly Arrival[];
  /** Of a message in parts that are not all here. */
  readonly missing: { readonly received: number; readonly needed: number } | undefined;
}

/** Longest text that is looked at. */
const MAX_TEXT_BYTES = 1024 * 1024;

/** Where a text is longer than any code, only its beginning is looked at to know what it is. */
const HEAD_BYTES = 8;

/**
 * Reads every line as a code.
 * @throws {@link InputError} `E_CODE_TEXT` for a line that is none, `E_QR_TOO_LARGE`, and what a damaged code throws; NegativeError
 * `E_QR_DIGEST`, `E_QR_CHECKSUM`
 */
export function readCodeText(bytes: Uint8Array, name: string): CodeText {
  if (bytes.length > MAX_TEXT_BYTES) {
    throw new InputError({
      code: 'E_QR_TOO_LARGE',
      message: `${name} is longer than ${MAX_TEXT_BYTES} bytes`,
    });
  }
  const receiver = new Receiver(sha256);
  const arrivals: Arrival[] = [];
  let lines = 0;
  for (const [i, raw] of Buffer.from(bytes)
    .toString('latin1')
    .split(/\r\n|\n|\r/)
    .entries()) {
    const line = raw.trim();
    if (line === '') continue;
    const what = `line ${i + 1} of ${name}`;
    if (!looksLikeUr(line)) {
      throw new InputError({ code: 'E_CODE_TEXT', message: `${what} is no code (ur:…)` });
    }
    lines++;
    const step = receiver.take(line, what);
    if (step.status === 'foreign') {
      throw new InputError({
        code: 'E_CODE_TEXT',
        message: step.why,
        hint: 'put the parts of one message into a file of their own',
      });
    }
    if (step.status === 'arrived') arrivals.push(step.arrival);
  }
  return { lines, arrivals, missing: receiver.underWay };
}

export const codeTextKind: ArtifactKind = {
  kind: CODE_TEXT,
  detect: (bytes) => {
    const head = Buffer.from(bytes.subarray(0, HEAD_BYTES)).toString('latin1');
    return looksLikeUr(head.trimStart());
  },
  show: (bytes, name) => {
    const { lines, arrivals, missing } = readCodeText(bytes, name);
    return Promise.resolve({
      codes: lines,
      carries: arrivals.map(described),
      parts: missing === undefined ? null : `${missing.received} of ${missing.needed}`,
    });
  },
  verify: (bytes, name) => {
    const { arrivals, missing } = readCodeText(bytes, name);
    const claims: Claim[] = arrivals.map((arrival) => ({
      claim: 'what arrived has the digest that came along',
      grade: 'checked',
      ok: arrival.form === 'file',
      detail:
        arrival.form === 'file'
          ? `${arrival.name}, ${digestText(sha256(arrival.bytes))}`
          : arrival.form === 'digest'
            ? `${arrival.name}: only its digest is here, and nothing to compare it with`
            : `${arrival.label}: no digest came along`,
    }));
    if (missing !== undefined || arrivals.length === 0) {
      const { received = 0, needed = 0 } = missing ?? {};
      claims.push({
        claim: 'all parts are here',
        grade: 'checked',
        ok: false,
        detail: `${received} of ${needed}`,
      });
    }
    const ok = claims.every((each) => each.ok);
    return Promise.resolve({
      ok,
      kind: CODE_TEXT,
      summary: ok ? `${name}: whole, as it was sent` : `${name}: not whole, or without a digest`,
      claims,
    });
  },
};

function described(arrival: Arrival): JsonObject {
  if (arrival.form === 'unverified')
    return { form: arrival.label, bytes: arrival.bytes.length, digest: null };
  const { kind, name } = arrival;
  return arrival.form === 'file'
    ? { kind, name, bytes: arrival.bytes.length, digest: digestText(sha256(arrival.bytes)) }
    : {
        kind,
        name,
        bytes: arrival.length,
        digest: digestText(arrival.sha256),
        only: 'the digest; the file travels otherwise',
      };
}
