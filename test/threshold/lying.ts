/**
 * A session of three in files, of which every moment is kept: so that the third can say anything at all in any round, signed as
 * its own, and the test sees what the programs of the other two make of it.
 */
import { randomBytes } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { rosterFrom } from '#actions/threshold/certificate';
import { openSession, protocolOf } from '#actions/threshold/session';
import { main } from '#cli/main';
import { type Cbor, decodeCbor, encodeCbor } from '#formats/cbor';
import { SecretBytes } from '#formats/secret-bytes';
import { nodeFs } from '#host/fs-port';
import { createHost } from '#host/node-host';
import { decodeMessage, readMessage, writeMessage } from '#protocols/parties/message';
import type { Roster } from '#protocols/parties/roster';
import { run, type Said } from '#protocols/threshold/exchange';
import type { Start } from '#protocols/threshold/start-message';
import { phase, startFile, type TestParty } from './party.js';

/** Number of whoever lies: the third. */
export const LIAR = 3;

const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));

/** Round, sender and addressee of a file. */
const FILE = /^[0-9a-f]{8}-(\d+)-.*-from-(\d+)(?:-to-(all|\d+)\.msg|\.json)$/;

/** What a program said about what it was given. */
export interface Verdict {
  readonly exit: number;
  readonly code: string;
  readonly message: string;
  readonly culprits: readonly number[] | undefined;
  readonly details: Readonly<Record<string, unknown>>;
}

/** A message of the liar's making. */
export interface Lie {
  readonly round: number;
  readonly type: string;
  readonly to: number | null;
  /** The new body from the true one. */
  readonly body: (honest: Cbor) => Cbor;
}

/** A session, ready to be lied in. */
export class Stage {
  readonly net: string;
  readonly start: Start;
  readonly #operation: string;
  readonly #people: readonly TestParty[];
  readonly #roster: Roster;
  readonly #signing: SecretBytes;
  readonly #liar: Liar;
  #tries = 0;

  private constructor(
    operation: string,
    net: string,
    people: readonly TestParty[],
    roster: Roster,
    liar: Liar,
  ) {
    this.#operation = operation;
    this.net = net;
    this.#people = people;
    this.#roster = roster;
    this.start = liar.start;
    this.#signing = liar.signing;
    this.#liar = liar;
  }

  /**
   * Leads a session through all its rounds, honestly, and keeps what each had before it heard the liar.
   * @param people - by their numbers, the liar at {@link LIAR}
   */
  static async play(
    command: object,
    operation: string,
    people: readonly TestParty[],
    net: string,
    begin: Readonly<Record<string, unknown>>,
    join_: Readonly<Record<string, unknown>> = {},
    rounds = 4,
  ): Promise<Stage> {
    const [first, ...others] = people as [TestParty, ...TestParty[]];
    await phase(command, 'start', first, net, begin);
    for (const other of others) {
      await phase(command, 'start', other, net, { in: [startFile(net)], ...join_ });
    }
    const liar = people[LIAR - 1] as TestParty;
    for (let round = 1; round <= rounds; round++) {
      const before = readdirSync(net)
        .filter((name) => Number(FILE.exec(name)?.[1] ?? round) < round)
        .map((name) => join(net, name));
      for (const person of people) {
        // Whoever has no word in this round waits for others.
        await phase(command, 'round', person, net, { in: before }).catch((error: unknown) => {
          if ((error as { exitCode?: number }).exitCode !== 75) throw error;
        });
        if (person === liar) continue;
        cpSync(sessionOf(person, net), `${sessionOf(person, net)}-${round}`, { recursive: true });
      }
    }
    const context = liar.place.context({ ...liar.options });
    using session = await openSession(sessionOf(liar, net), context);
    const { state } = session.hold;
    const roster = await rosterFrom(session.start, state.certificates);
    return new Stage(operation, net, people, roster, {
      start: session.start,
      signing: state.signing.clone(),
      share: state.share?.clone(),
      person: liar,
    });
  }

  /** Files of a round that a person may get, by name. */
  files(round: number, to: number): readonly string[] {
    return readdirSync(this.net).filter((name) => {
      const parts = FILE.exec(name);
      if (parts === null || Number(parts[1]) !== round || Number(parts[2]) === to) return false;
      return parts[3] === undefined || parts[3] === 'all' || Number(parts[3]) === to;
    });
  }

  /** The file of the liar's own true message. */
  nameOf({ round, type, to }: Pick<Lie, 'round' | 'type' | 'to'>): string {
    const prefix = this.start.message.session.slice(0, 8);
    return `${prefix}-${round}-${type}-from-${LIAR}-to-${to ?? 'all'}.msg`;
  }

  /** What the true message says. */
  async honest(lie: Pick<Lie, 'round' | 'type' | 'to'>): Promise<Cbor> {
    if (lie.to === null) return this.broadcast(LIAR, lie.round, lie.type);
    const bytes = readFileSync(join(this.net, this.nameOf(lie)));
    const reader = this.#person(lie.to);
    const context = reader.place.context({ ...reader.options });
    using session = await openSession(`${sessionOf(reader, this.net)}-1`, context);
    const { self, opening } = session.hold.state;
    const { body } = await readMessage(bytes, 'message', {
      roster: this.#roster,
      self,
      seed: opening,
    });
    return decodeCbor(body, 'body');
  }

  /** What somebody truly said to all. */
  broadcast(sender: number, round: number, type: string): Cbor {
    const prefix = this.start.message.session.slice(0, 8);
    const file = join(this.net, `${prefix}-${round}-${type}-from-${sender}-to-all.msg`);
    const { content } = decodeMessage(readFileSync(file), file);
    if (content.kind !== 'broadcast') throw new Error(`${file} is for one alone`);
    return decodeCbor(content.body, 'body');
  }

  /** What a person said to all, of the one type, into a folder. */
  said(folder: string, type: string): Cbor {
    const name = readdirSync(folder).find((each) => each.includes(`-${type}-from-`)) ?? '';
    const { content } = decodeMessage(readFileSync(join(folder, name)), name);
    if (content.kind !== 'broadcast') throw new Error(`${name} is for one alone`);
    return decodeCbor(content.body, 'body');
  }

  /** Signs anything as the liar. */
  async sign(lie: Pick<Lie, 'round' | 'type' | 'to'>, body: Uint8Array): Promise<Uint8Array> {
    return await writeMessage({
      roster: this.#roster,
      round: lie.round,
      sender: LIAR,
      recipient: lie.to,
      type: lie.type,
      body,
      seed: this.#signing,
      random,
    });
  }

  /** A lie, signed. */
  async tell(lie: Lie): Promise<Uint8Array> {
    return await this.sign(lie, encodeCbor(lie.body(await this.honest(lie))));
  }

  /** What the liar would have said in round 1 had its coins fallen otherwise: true in itself. */
  async otherwise(): Promise<readonly Said[]> {
    using seed = SecretBytes.adopt(random(32), 'coins');
    const { said } = await run(
      {
        roster: this.#roster,
        self: LIAR,
        signing: this.#signing,
        seed,
        received: [],
        once: () => undefined,
      },
      protocolOf(this.#liar.start, this.#liar.share),
    );
    return said;
  }

  /**
   * Gives a person all of a round, with some of the liar's messages exchanged, in a copy of the session as it was before.
   * @param forged - by the name of the message in whose place it comes
   */
  async hear(
    to: number,
    round: number,
    forged: ReadonlyMap<string, Uint8Array>,
  ): Promise<Verdict & { readonly session: string; readonly out: string }> {
    const person = this.#person(to);
    const folder = person.place.at(`try-${this.net.split('/').at(-1) ?? ''}-${++this.#tries}`);
    const session = `${folder}-session`;
    cpSync(`${sessionOf(person, this.net)}-${round}`, session, { recursive: true });
    mkdirSync(folder);
    for (const name of this.files(round, to)) {
      writeFileSync(join(folder, name), forged.get(name) ?? readFileSync(join(this.net, name)));
    }
    const out = `${folder}-out`;
    return { ...(await this.round(person, session, [folder], out)), session, out };
  }

  /** One `round` of a person on the command line, with `--json`. */
  async round(
    { place, options }: TestParty,
    session: string,
    inputs: readonly string[],
    out: string,
  ): Promise<Verdict> {
    return await told([
      ...['threshold', this.#operation, 'round', '--session', session, '--out-dir', out],
      ...inputs.flatMap((path) => ['--in', path]),
      ...['--home', place.at('home'), '--identity', options.identity ?? '', '--json', '--no-input'],
    ]);
  }

  #person(number: number): TestParty {
    return this.#people[number - 1] as TestParty;
  }
}

/** What the test knows of whoever lies: everything. */
interface Liar {
  readonly start: Start;
  readonly signing: SecretBytes;
  readonly share: SecretBytes | undefined;
  readonly person: TestParty;
}

/** Where {@link phase} keeps a person's part of a session. */
export function sessionOf({ place }: TestParty, net: string): string {
  return place.at(`session-${net.split('/').at(-1) ?? ''}`);
}

/** Runs the command line in this process, and reads its one object. */
export async function told(args: readonly string[]): Promise<Verdict> {
  const chunks: string[] = [];
  const sink = (into: string[]): never =>
    new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        into.push(chunk.toString());
        done();
      },
    }) as never;
  const host = createHost({ fs: { ...nodeFs, fsync: () => undefined } });
  const io = { host, stdout: sink(chunks), stderr: sink([]), env: { NO_COLOR: '1' } };
  const exit = await main([...args], { ...io, scryptLogN: 10 });
  const { error } = JSON.parse(chunks.join('')) as {
    readonly error?: { code: string; message: string; details?: Record<string, unknown> };
  };
  const details = error?.details ?? {};
  return {
    exit,
    code: error?.code ?? 'done',
    message: error?.message ?? '',
    culprits: details['culprits'] as readonly number[] | undefined,
    details,
  };
}

/** A file with these bytes. */
export function fileOf(bytes: Uint8Array): string {
  const path = join(mkdtempSync(join(tmpdir(), 'conclave-lie-')), 'lie.msg');
  writeFileSync(path, bytes);
  return path;
}
