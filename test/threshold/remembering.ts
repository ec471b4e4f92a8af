/**
 * Ann, who remembers her nonces in a second place, and Ben, who answers them in two ways. What Ann has is brought back from
 * before as often as one likes, into other folders, as on other machines.
 */
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { rosterFrom } from '#actions/threshold/certificate';
import { openMemory } from '#actions/threshold/memory';
import { openSession, protocolOf } from '#actions/threshold/session';
import { thresholdSign } from '#actions/threshold-sign';
import { loadSuite } from '#crypto/frost/suite';
import { concat, utf8 } from '#formats/bytes';
import { decodeCbor } from '#formats/cbor';
import { SecretBytes } from '#formats/secret-bytes';
import { decodeMessage } from '#protocols/parties/message';
import { run } from '#protocols/threshold/exchange';
import type { Change, Ended } from '../faults/session.js';
import { filesBelow, formsIn } from '../support/canary.js';
import type { RunOptions } from '../support/home.js';
import { root } from '../support/require.js';
import { told, type Verdict } from './lying.js';
import { phase, type Room, startFile, type TestParty } from './party.js';

const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));

/** Suite of the keys here: the quickest. */
export const SUITE = 'ristretto255';

/** A second place, as people name it, and what the program needs to reach it. */
export interface Second {
  readonly named: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly options: RunOptions;
}

/** Which of Ben's answers. */
export type Answer = 'one' | 'other';

/** What Ann has, in a folder of its own. */
export interface Restored {
  readonly folder: string;
  readonly out: string;
}

/** All signature shares that were ever told, by the pair of nonces under which. */
export class Told {
  readonly #shares = new Map<string, Set<string>>();

  /** Notes what lies in a folder. */
  note(nonces: string, folder: string): void {
    for (const z of sharesIn(folder)) {
      this.#shares.set(nonces, (this.#shares.get(nonces) ?? new Set()).add(z));
    }
  }

  /** How many shares were told under each pair. */
  get counts(): readonly number[] {
    return [...this.#shares.values()].map(({ size }) => size);
  }
}

/** A signing session that has come to the point at which Ann signs. */
export class Errand {
  readonly #ann: TestParty;
  readonly #net: string;
  readonly #second: Second;
  readonly #answers: Readonly<Record<Answer, string>>;
  readonly #before: string;
  /** Ann's commitments, D ‖ E. */
  readonly #pair: Uint8Array;
  #brought = 0;

  private constructor(parts: {
    ann: TestParty;
    net: string;
    second: Second;
    answers: Readonly<Record<Answer, string>>;
    before: string;
    pair: Uint8Array;
  }) {
    this.#ann = parts.ann;
    this.#net = parts.net;
    this.#second = parts.second;
    this.#answers = parts.answers;
    this.#before = parts.before;
    this.#pair = parts.pair;
  }

  /**
   * Ann and Ben begin, and tell their nonces.
   * @param keyed - the key that they share, by name
   */
  static async begin(here: Room, name: string, keyed: string, second: Second): Promise<Errand> {
    const [ann, ben] = here.people as [TestParty, TestParty];
    const net = join(here.net, name);
    const message = join(here.net, `${name}.txt`);
    writeFileSync(message, name);
    const secret = ann.place.at('passphrase');
    writeFileSync(secret, `${ann.options.passphrases?.[0] ?? ''}\n`, { mode: 0o600 });
    const begun = await told([
      ...['threshold', 'sign', 'start', '--key', keyed, '--message', message, '--quorum', '1,2'],
      ...['--memory', second.named, ...second.args, '--passphrase-file', secret],
      ...['--session', ann.place.at(`session-${name}`), '--out-dir', net],
      ...['--home', ann.place.at('home'), '--identity', ann.options.identity ?? ''],
      ...['--json', '--no-input'],
    ]);
    if (begun.exit !== 0) throw new Error(`${begun.code}: ${begun.message}`);
    const digest = createHash('sha256').update(name).digest('hex');
    const joins = { in: [startFile(net)], expect: `sha256:${digest}` };
    await phase(thresholdSign, 'start', ben, net, joins);
    await phase(thresholdSign, 'round', ann, net, {}, second.options);
    const answers = { one: join(here.net, `${name}-one`), other: join(here.net, `${name}-other`) };
    await phase(thresholdSign, 'round', ben, net, { outDir: answers.one });
    const bytes = await saidOtherwise(ben, net, name);
    mkdirSync(answers.other);
    const file = nonceFile(answers.one);
    writeFileSync(join(answers.other, file), bytes);
    const before = `${ann.place.folder}-before-${name}`;
    cpSync(ann.place.folder, before, { recursive: true });
    const own = readFileSync(join(net, nonceFile(net, 1)));
    const { content } = decodeMessage(own, 'nonces');
    const [hiding, binding] = decodeCbor(
      content.kind === 'broadcast' ? content.body : new Uint8Array(0),
      'nonces',
    ) as readonly Uint8Array[];
    const pair = concat(hiding as Uint8Array, binding as Uint8Array);
    return new Errand({ ann, net, second, answers, before, pair });
  }

  /** Which nonces it is about. */
  get nonces(): string {
    return Buffer.from(this.#pair).toString('hex');
  }

  /** All that Ann had before she signed, brought back into a folder of its own. */
  restore(): Restored {
    const folder = `${this.#before}-${++this.#brought}`;
    cpSync(this.#before, folder, { recursive: true });
    return { folder, out: join(folder, 'out') };
  }

  /** Takes what was used out of the second place: the world is again as it was before. */
  async unuse(): Promise<void> {
    const { code } = await loadSuite(`frost-${SUITE}`);
    const name = createHash('sha256')
      .update(concat(utf8('conclave-nonce-v1\0'), code, this.#pair))
      .digest('hex');
    const { named, options } = this.#second;
    using place = await openMemory(named, this.#ann.place.context(options));
    if ((await place.read(`nonce-${name}`)).length === 0) throw new Error('nothing was used');
    await place.remove(`nonce-${name}`);
  }

  /** A round of Ann's, who has heard this of Ben; in this process. */
  async round(where: Restored, answer: Answer): Promise<Verdict> {
    return await told([...this.#words('round', where, answer)]);
  }

  /** Ann's end, after Ben has said all. */
  async finish(where: Restored, signature: string): Promise<Verdict> {
    return await told([...this.#words('finish', where, 'one'), '--out', signature]);
  }

  /** Ben's share of the signature, over what a folder holds of Ann's. */
  async answered(here: Room, where: Restored): Promise<void> {
    const ben = here.people[1] as TestParty;
    const input = { in: [this.#net, where.out], outDir: this.#answers.one };
    await phase(thresholdSign, 'round', ben, this.#net, input);
  }

  /** The same round in a process of its own, through the killer. */
  start(where: Restored, answer: Answer, plan: string): Promise<Ended> {
    const side = join(where.folder, 'side');
    mkdirSync(side, { recursive: true });
    const killer = join(root, 'test/faults/killer.mjs');
    const args = [killer, plan, side, '--', ...this.#words('round', where, answer)];
    const child = spawn(process.execPath, args, {
      env: { PATH: process.env['PATH'], NO_COLOR: '1', ...this.#second.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const chunks: Buffer[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    }
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => {
        const output = Buffer.concat(chunks);
        writeFileSync(join(side, 'output'), output);
        resolve({ code, signal, output: output.toString('utf8') });
      });
    });
  }

  #words(phase_: string, { folder, out }: Restored, answer: Answer): readonly string[] {
    return [
      ...['threshold', 'sign', phase_, '--session', join(folder, `session-${basename(this.#net)}`)],
      ...['--in', this.#net, '--in', this.#answers[answer], '--out-dir', out],
      ...['--home', join(folder, 'home'), '--identity', this.#ann.options.identity ?? ''],
      ...[...this.#second.args, '--json', '--no-input'],
    ];
  }

  remove(): void {
    rmSync(this.#before, { recursive: true });
    for (let n = 1; n <= this.#brought; n++) {
      rmSync(`${this.#before}-${n}`, { recursive: true });
    }
  }
}

/** What a process that was only counted changed on the disk. */
export function changesOf({ folder }: Restored): readonly Change[] {
  return JSON.parse(readFileSync(join(folder, 'side', 'changes.json'), 'utf8')) as Change[];
}

/** Secrets of a process that lie in clear on its disk, or that it printed; and how many it held. */
export function leaksOf({ folder }: Restored): {
  readonly held: number;
  readonly leaks: readonly string[];
} {
  const known = new Set(
    readFileSync(join(folder, 'side', 'secrets'), 'utf8')
      .trimEnd()
      .split('\n'),
  );
  const paths = filesBelow(folder).filter((path) => !/^side\/(?:secrets|changes)/.test(path));
  const everything = Buffer.concat(paths.map((path) => readFileSync(join(folder, path))));
  const secrets = [...known].flatMap((line) => {
    const [label = '', hex = ''] = line.split('\t');
    const bytes = Buffer.from(hex, 'hex');
    return bytes.length < 16 ? [] : [{ label, bytes }];
  });
  const leaks = secrets.flatMap(({ label, bytes }) =>
    formsIn(everything, bytes).map((form) => `${label} as ${form}`),
  );
  return { held: secrets.length, leaks };
}

/** Lets processes go on that wait for each other, when all have come. */
export async function meeting(all: readonly Restored[]): Promise<void> {
  const side = ({ folder }: Restored, name: string): string => join(folder, 'side', name);
  for (let tries = 0; !all.every((each) => existsSync(side(each, 'here'))); tries++) {
    if (tries > 40_000) throw new Error('not all came to the place where they meet');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  for (const each of all) writeFileSync(side(each, 'go'), '');
}

/** Signature shares of Ann's that lie in a folder. */
export function sharesIn(folder: string): readonly string[] {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  return names
    .filter((name) => name.includes('-signature-share-from-1-'))
    .map((name) => {
      const { content } = decodeMessage(readFileSync(join(folder, name)), name);
      const body = content.kind === 'broadcast' ? content.body : new Uint8Array(0);
      const [z] = decodeCbor(body, name) as readonly Uint8Array[];
      return Buffer.from(z as Uint8Array).toString('hex');
    });
}

export function nonceFile(folder: string, from = 2): string {
  const name = readdirSync(folder).find((each) => each.includes(`-nonces-from-${from}-`));
  if (name === undefined) throw new Error(`party ${from} told no nonces`);
  return name;
}

/** What a party's nonces would have been had its coins fallen otherwise: signed by it like the others. */
export async function saidOtherwise(
  person: TestParty,
  net: string,
  name: string,
): Promise<Uint8Array> {
  const context = person.place.context({ ...person.options });
  using session = await openSession(person.place.at(`session-${name}`), context);
  const { self, signing, share, certificates } = session.hold.state;
  using seed = SecretBytes.adopt(random(32), 'coins');
  const roster = await rosterFrom(session.start, certificates);
  const seat = { roster, self, signing, seed, received: [], once: () => undefined };
  const { said } = await run(seat, protocolOf(session.start, share));
  const nonces = said.find(({ type }) => type === 'nonces');
  if (nonces === undefined) throw new Error(`${net}: no nonces`);
  return nonces.bytes;
}
