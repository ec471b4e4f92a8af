/** `qr scan`: files back out of QR codes. */
import { digestText } from '#carriage/transport/payload';
import type { Arrival } from '#carriage/transport/receiver';
import { sha256 } from '#crypto/hash';
import { equal } from '#formats/bytes';
import {
  InputError,
  NegativeError,
  RefusedError,
  UnavailableError,
  UsageError,
} from '#formats/errors';
import { defineAction } from './action.js';
import { detectKind, kindNames } from './artifacts/catalogue.js';
import type { ActionContext } from './context/context.js';
import { collectArrivals } from './qr/collect.js';
import { exposureOf } from './qr/exposure.js';
import { digestOfFile } from './qr/file-digest.js';
import { sourceOf } from './qr/source.js';
import { takeIn } from './qr/take-in.js';

/** One thing that arrived. */
export interface Scanned {
  /** `file`, `digest` or `unverified`. */
  readonly form: Arrival['form'];
  /** What it is, as `show` would say; the sender's word for a digest. */
  readonly kind: string;
  /** The sender's word; `null` where codes carry none. */
  readonly name: string | null;
  readonly bytes: number;
  readonly sha256: string;
  /** Where it was written. */
  readonly out: string | null;
}

/** All that arrived. */
export interface ScanResult {
  readonly ok: boolean;
  readonly scanned: readonly Scanned[];
  /** Whether the file of `--check` is the one that the code speaks of. */
  readonly same: boolean | null;
  /** Where it was written, its digest and its kind, when exactly one thing arrived. */
  readonly file: string | null;
  readonly digest: string | null;
  readonly kind: string | null;
}

export const qrScan = defineAction({
  id: 'qr.scan',
  summary: 'read files out of QR codes',
  description:
    'From pictures (PNG, JPEG; several codes on a sheet), a video, a camera, a scanner that types like a keyboard, or text. Parts ' +
    'may come in any order and again and again; what is written is complete and has the digest that came with it. Parts of another ' +
    'message are named and refused. A scanned PDF is made into pictures first: pdftoppm -r 200 -png scan.pdf page. Video and camera ' +
    'need ffmpeg. In a ceremony whoever is at the machine says how the file comes in, which may be on a medium instead. A digest says that nothing was damaged; who sent a file is for conclave verify to say.',
  inputs: {
    image: {
      type: 'file',
      summary: 'picture with codes',
      repeat: true,
      placeholder: 'FILE',
      only: 'cli',
    },
    video: {
      type: 'file',
      summary: 'video of an animated code',
      placeholder: 'FILE',
      only: 'cli',
    },
    camera: { type: 'boolean', summary: 'read from a camera', only: 'cli' },
    file: {
      type: 'file',
      summary: 'what may lie on a medium instead: the file, or a picture of its codes',
      only: 'ceremony',
    },
    device: {
      type: 'string',
      summary: 'the camera, /dev/video0 if not given',
      placeholder: 'DEVICE',
    },
    scanner: {
      type: 'boolean',
      summary: 'read what a scanner types, or you paste, at the terminal until Ctrl-D',
      only: 'cli',
    },
    text: {
      type: 'file',
      summary: 'text with a code in each line',
      placeholder: 'FILE',
      only: 'cli',
    },
    count: {
      type: 'integer',
      summary: 'how many files there are; 1 for what is held up, all in pictures and text',
      min: 1,
      max: 255,
      placeholder: 'N',
      only: 'cli',
    },
    out: { type: 'path', summary: 'where to write the file', placeholder: 'FILE' },
    outDir: {
      type: 'path',
      summary: 'folder for the files, by the names that came along',
      placeholder: 'DIR',
      only: 'cli',
    },
    expect: {
      type: 'digest',
      summary: 'digest that the file must have',
      pattern: 'sha256:[0-9a-f]{64}',
      placeholder: 'sha256:HEX',
    },
    check: {
      type: 'file',
      summary: 'file to compare with the digest that is scanned',
      placeholder: 'FILE',
      only: 'cli',
    },
    unverified: {
      type: 'boolean',
      summary: 'accept codes without a digest: plain text, BBQr, other URs',
      only: 'cli',
    },
  },
  outputs: {
    scanned: { type: 'report', summary: 'what arrived' },
    file: { type: 'file', summary: 'where it was written' },
    digest: { type: 'digest', summary: 'its SHA-256' },
    kind: { type: 'string', summary: 'what it is' },
  },
  options: ['force'],
  effect: 'repeatable',
  exits: [69, 75],
  examples: [
    {
      command: 'conclave qr scan --image card.jpg --out share-2.cbor',
      explains: 'a photographed card',
    },
    {
      command: 'conclave qr scan --camera --out request.json',
      explains: 'an animated code, held before the camera',
    },
    {
      command: 'conclave qr scan --scanner --out share-2.cbor',
      explains: 'a USB scanner in keyboard mode',
    },
    {
      command: 'conclave qr scan --image digest.png --check bundle.tar.gz',
      explains: 'whether the file that came by USB stick is the one that the code names',
    },
  ],
  run: async (input, context): Promise<ScanResult> => {
    if (context.inCeremony === true) return await takeInto(input, context);
    const scan = await context.scan?.();
    if (scan === undefined) {
      throw new UnavailableError({ code: 'E_SCAN_NONE', message: 'nothing can be scanned here' });
    }
    if (input.out !== undefined && input.outDir !== undefined) {
      throw new UsageError({ code: 'E_SCAN_OUT', message: 'both --out and --out-dir were given' });
    }
    if (input.out !== undefined) context.files.assertAbsent([input.out]);
    const source = sourceOf(input, scan, context);
    const arrivals = await collectArrivals(source.codes, {
      scan,
      live: source.live,
      count: input.count ?? (source.live ? 1 : undefined),
      from: source.from,
    });
    const same = input.check === undefined ? null : isSame(input.check, arrivals, context);
    const things = await Promise.all(
      arrivals.map((arrival) => thingOf(arrival, input.unverified === true)),
    );
    assertExpected(things, input.expect);
    const written = write(things, input, context);
    return resultOf(things, written, same);
  },
  present: ({ scanned, same }) =>
    [
      ...scanned.flatMap(({ form, kind, name, bytes, sha256: digest, out }) => [
        `${name ?? 'without a name'}: ${kind}, ${bytes} bytes${form === 'digest' ? ' (only its digest came)' : ''}`,
        form === 'unverified'
          ? 'no digest came with it: nothing was compared'
          : `  ${digest}, as sent`,
        ...(out === null ? [] : [`  written to ${out}`]),
      ]),
      ...(same === null
        ? []
        : [same ? 'the file is the one that the code names' : 'NOT the file that the code names']),
    ].join('\n'),
});

/** What came, for people and programs; its content is wiped. */
function resultOf(
  things: readonly Thing[],
  written: readonly (string | undefined)[],
  same: boolean | null,
): ScanResult {
  const scanned = things.map(({ form, kind, name, length, digest, content }, i) => {
    content?.fill(0);
    const out = written[i] ?? null;
    return { form, kind, name, bytes: length, sha256: digestText(digest), out };
  });
  const [only, ...more] = scanned;
  const one = more.length === 0 ? only : undefined;
  const { out: file = null, sha256: digest = null, kind = null } = one ?? {};
  return { ok: same !== false, scanned, same, file, digest, kind };
}

/** In a ceremony: one file, as people bring it, and how it came on the record. */
async function takeInto(
  input: {
    readonly file?: string | undefined;
    readonly device?: string | undefined;
    readonly out?: string | undefined;
    readonly expect?: string | undefined;
  },
  context: ActionContext,
): Promise<ScanResult> {
  const { out } = input;
  if (out === undefined) {
    throw new UsageError({
      code: 'E_SCAN_OUT',
      message: 'nothing says where the file goes: "out"',
    });
  }
  context.files.assertAbsent([out]);
  return await takeIn(input, context, async ({ way, arrival }) => {
    const thing = await thingOf(arrival, false);
    assertExpected([thing], input.expect);
    const [written] = write([thing], { out }, context);
    const { kind, name, digest } = thing;
    const data = { way, kind, name, bytes: thing.length, sha256: digestText(digest) };
    context.record({ type: 'qr.scanned', data });
    return resultOf([thing], [written], null);
  });
}

/** An arrival, judged. */
interface Thing {
  readonly form: Arrival['form'];
  readonly kind: string;
  readonly name: string | null;
  readonly length: number;
  readonly digest: Uint8Array;
  readonly content: Uint8Array | undefined;
  readonly secret: boolean;
}

async function thingOf(arrival: Arrival, unverified: boolean): Promise<Thing> {
  if (arrival.form === 'digest') {
    const { kind, name, length, sha256: digest } = arrival;
    return { form: 'digest', kind, name, length, digest, content: undefined, secret: false };
  }
  const { bytes } = arrival;
  if (arrival.form === 'unverified' && !unverified) {
    throw new RefusedError({
      code: 'E_QR_UNVERIFIED',
      message: `what the code carries is ${arrival.label}, without a digest to compare it with`,
      hint: 'if that is expected, say --unverified, and better also --expect sha256:HEX',
    });
  }
  const name = arrival.form === 'file' ? arrival.name : null;
  const { kind, exposure } = await exposureOf(bytes, name ?? 'the code');
  if (arrival.form === 'file') await assertKind(arrival.kind, bytes, arrival.name);
  return {
    form: arrival.form,
    kind,
    name,
    length: bytes.length,
    digest: sha256(bytes),
    content: bytes,
    secret: exposure !== 'public',
  };
}

/** A sender that calls a thing what it is not is wrong or lies. A kind of a later version is no contradiction. */
async function assertKind(claimed: string, bytes: Uint8Array, name: string): Promise<void> {
  const found = (await detectKind(bytes, name))?.kind;
  if (found === claimed || claimed === 'file') return;
  if (found === undefined && !kindNames.includes(claimed)) return;
  throw new NegativeError({
    code: 'E_QR_KIND',
    message: `${name} was sent as a ${claimed} and is ${found === undefined ? 'none' : `a ${found}`}`,
    hint: 'ask the sender; it was not written',
  });
}

function assertExpected(things: readonly Thing[], expected: string | undefined): void {
  const other = things.find(
    ({ digest }) => expected !== undefined && digestText(digest) !== expected,
  );
  if (other === undefined) return;
  throw new NegativeError({
    code: 'E_QR_EXPECTED',
    message: `${other.name ?? 'what was scanned'} has the digest ${digestText(other.digest)}, not the one that was expected`,
    hint: 'it was not written',
  });
}

function isSame(path: string, arrivals: readonly Arrival[], { files }: ActionContext): boolean {
  const [arrival, ...more] = arrivals;
  if (arrival === undefined || more.length > 0 || arrival.form === 'unverified') {
    throw new UsageError({
      code: 'E_SCAN_CHECK',
      message: '--check compares one file with one digest',
      hint: 'scan the code that conclave qr show --digest made',
    });
  }
  const own = digestOfFile(path, files);
  own.bytes?.fill(0);
  const digest = arrival.form === 'digest' ? arrival.sha256 : sha256(arrival.bytes);
  const length = arrival.form === 'digest' ? arrival.length : arrival.bytes.length;
  return own.length === length && equal(own.sha256, digest);
}

/** Writes what has content, all of it or nothing. @returns where each went */
function write(
  things: readonly Thing[],
  { out, outDir }: { readonly out?: string | undefined; readonly outDir?: string | undefined },
  { files }: ActionContext,
): readonly (string | undefined)[] {
  if (out === undefined && outDir === undefined) return [];
  const whole = things.filter(({ content }) => content !== undefined);
  if (whole.length === 0) {
    throw new UsageError({
      code: 'E_SCAN_OUT',
      message: 'only a digest was scanned; there is no file to write',
      hint: 'compare it with a file by --check',
    });
  }
  if (out !== undefined && whole.length > 1) {
    throw new UsageError({
      code: 'E_SCAN_OUT',
      message: `${whole.length} files were scanned, and --out names one`,
      hint: 'give a folder by --out-dir',
    });
  }
  const paths = things.map(({ name, content }, i) => {
    if (content === undefined) return undefined;
    return out ?? `${outDir as string}/${name ?? `scanned-${i + 1}`}`;
  });
  const given = paths.filter((path) => path !== undefined);
  const twice = given.find((path, i) => given.indexOf(path) !== i);
  if (twice !== undefined) {
    throw new InputError({
      code: 'E_SCAN_OUT',
      message: `two different files want to be ${twice}`,
      hint: 'scan them one by one, each with --out',
    });
  }
  files.assertAbsent(given);
  if (outDir !== undefined) files.makeDirectory?.(outDir);
  things.forEach(({ content, secret }, i) => {
    const path = paths[i];
    if (content !== undefined && path !== undefined) files.write(path, content, { secret });
  });
  return paths;
}
