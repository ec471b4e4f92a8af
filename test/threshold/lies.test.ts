/**
 * One of three lies, in every round and in every way that its signature allows: the others' programs say who it was where it can
 * be known, say which messages to lay side by side where it cannot, and blame nobody for what happened on the way. Whoever was
 * lied to keeps its key and signs with the others.
 */
import { createHash } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { thresholdKeygen } from '#actions/threshold-keygen';
import { thresholdSign } from '#actions/threshold-sign';
import { verify } from '#actions/verify';
import type { Cbor } from '#formats/cbor';
import { encodeCbor } from '#formats/cbor';
import { decodeEcho, type Echo, encodeEcho } from '#protocols/parties/inbox';
import { spread, thorough } from '../support/require.js';
import { fileOf, LIAR, type Lie, Stage } from './lying.js';
import { phase, room, type Room, session, type TestParty } from './party.js';

const CONTENT = 'pay the miller';
const DIGEST = `sha256:${createHash('sha256').update(CONTENT).digest('hex')}`;
const KEY = 'treasury';
const ANN = 1;
const BEN = 2;

let here: Room;
let [ann, ben, cem] = [] as unknown as [TestParty, TestParty, TestParty];
let keygen: Stage;
let signing: Stage;
let message: string;
const made: string[] = [];

beforeAll(async () => {
  here = await room(['Ann', 'Ben', 'Cem']);
  [ann, ben, cem] = here.people as unknown as [TestParty, TestParty, TestParty];
  message = join(here.net, 'message');
  writeFileSync(message, CONTENT);
  const party = here.people.map(({ pub }) => pub);
  const begin = { suite: 'ristretto255', threshold: 2, party };
  const net = join(here.net, 'keygen');
  keygen = await Stage.play(thresholdKeygen, 'keygen', here.people, net, begin);
  for (const person of here.people) {
    await phase(thresholdKeygen, 'finish', person, net, { name: KEY });
  }
  const pay = { key: KEY, message, quorum: '1,2,3' };
  signing = await Stage.play(
    thresholdSign,
    'sign',
    here.people,
    join(here.net, 'sign'),
    pay,
    { expect: DIGEST },
    2,
  );
});

afterAll(() => {
  here.remove();
  for (const path of made) rmSync(dirname(path), { recursive: true });
});

/** A session in which nonces are out, and nobody has signed: one that signed does not sign otherwise from a copy. */
async function unsigned(name: string): Promise<Stage> {
  const pay = { key: KEY, message, quorum: '1,2,3' };
  const net = join(here.net, name);
  return await Stage.play(thresholdSign, 'sign', here.people, net, pay, { expect: DIGEST }, 1);
}

/** A file of the test's, removed at the end. */
function lying(bytes: Uint8Array): string {
  const path = fileOf(bytes);
  made.push(path);
  return path;
}

/** What Ann's program says of a lie. */
async function heard(stage: Stage, lie: Lie) {
  const forged = new Map([[stage.nameOf(lie), await stage.tell(lie)]]);
  return await stage.hear(ANN, lie.round, forged);
}

const list = (body: Cbor): readonly Cbor[] => body as readonly Cbor[];
const bytes = (body: Cbor | undefined): Uint8Array => body as Uint8Array;
const flipped = (body: Cbor | undefined): Uint8Array => {
  const copy = bytes(body).slice();
  copy[5] = (copy[5] as number) ^ 1;
  return copy;
};
/** The neutral element of ristretto255, and 32 bytes that are none of its elements. */
const ZERO = new Uint8Array(32);
const NONE = new Uint8Array(32).fill(0xff);

/** Bodies of another form than agreed on, for whatever a round says. */
const shapeless: readonly (readonly [string, (body: Cbor) => Cbor])[] = [
  ['one part more', (body) => (Array.isArray(body) ? [...list(body), 1] : [body, 1])],
  ...(thorough ? ([['a number', () => 7]] as const) : []),
];

/** Lies with which the liar is named, at once, by whoever hears them. */
const named: readonly (readonly [string, () => Stage, Lie])[] = [
  ...(
    [
      ['a proof that is wrong', ([points, proof]) => [points as Cbor, flipped(proof)]],
      ['no proof', ([points]) => [points as Cbor, null]],
      ['a commitment too few', ([points, proof]) => [list(points as Cbor).slice(1), proof as Cbor]],
      [
        'a commitment too many',
        ([points, proof]) => [
          [...list(points as Cbor), list(points as Cbor)[0] as Cbor],
          proof as Cbor,
        ],
      ],
      [
        'a commitment to nothing',
        ([points, proof]) => [[list(points as Cbor)[0] as Cbor, ZERO], proof as Cbor],
      ],
      [
        'a commitment that is no point',
        ([points, proof]) => [[list(points as Cbor)[0] as Cbor, NONE], proof as Cbor],
      ],
      [
        'commitments exchanged',
        ([points, proof]) => [[...list(points as Cbor)].reverse(), proof as Cbor],
      ],
    ] as readonly (readonly [string, (body: readonly Cbor[]) => Cbor])[]
  ).map(([what, change]): readonly [string, () => Stage, Lie] => [
    what,
    () => keygen,
    { round: 1, type: 'commitments', to: null, body: (body) => change(list(body)) },
  ]),
  ...(
    [
      ['a wrong part', flipped],
      ['a part that is no scalar', () => NONE],
      ['a part that is too short', (body) => bytes(body).slice(1)],
    ] as readonly (readonly [string, (body: Cbor) => Cbor])[]
  ).map(([what, body]): readonly [string, () => Stage, Lie] => [
    what,
    () => keygen,
    { round: 2, type: 'part', to: ANN, body },
  ]),
  [
    'a commitment to its share that is too short',
    () => keygen,
    {
      round: 3,
      type: 'confirm',
      to: null,
      body: (body) => [list(body)[0] as Cbor, new Uint8Array(31)],
    },
  ],
  ...(
    [
      ['a nonce that is nothing', ([, second]) => [ZERO, second as Cbor]],
      ['a nonce that is no point', ([first]) => [first as Cbor, NONE]],
    ] as readonly (readonly [string, (body: readonly Cbor[]) => Cbor])[]
  ).map(([what, change]): readonly [string, () => Stage, Lie] => [
    what,
    () => signing,
    { round: 1, type: 'nonces', to: null, body: (body) => change(list(body)) },
  ]),
  ...(
    [
      ['a wrong share of the signature', ([z, echo]) => [flipped(z), echo as Cbor]],
      ['a share that is no scalar', ([, echo]) => [NONE, echo as Cbor]],
      ['a share of nothing', ([, echo]) => [ZERO, echo as Cbor]],
    ] as readonly (readonly [string, (body: readonly Cbor[]) => Cbor])[]
  ).map(([what, change]): readonly [string, () => Stage, Lie] => [
    what,
    () => signing,
    { round: 2, type: 'signature-share', to: null, body: (body) => change(list(body)) },
  ]),
  ...[
    [() => keygen, { round: 1, type: 'commitments', to: null }],
    [() => keygen, { round: 2, type: 'part', to: ANN }],
    [() => keygen, { round: 2, type: 'echo', to: null }],
    [() => keygen, { round: 3, type: 'confirm', to: null }],
    [() => keygen, { round: 4, type: 'acknowledge', to: null }],
    [() => signing, { round: 1, type: 'nonces', to: null }],
    [() => signing, { round: 2, type: 'signature-share', to: null }],
  ].flatMap(([stage, slot]) =>
    shapeless.map(([what, body]): readonly [string, () => Stage, Lie] => {
      const at = slot as Omit<Lie, 'body'>;
      return [`${what} for ${at.type}`, stage as () => Stage, { ...at, body }];
    }),
  ),
];

describe('a lie that is signed', () => {
  it.each(thorough ? named : spread(named, 8))('names the liar: %s', async (_what, stage, lie) => {
    const verdict = await heard(stage(), lie);
    expect(verdict).toMatchObject({ exit: 1, code: 'E_THRESHOLD_CULPRIT', culprits: [LIAR] });
    expect(verdict.message).toMatch(/^party 3 (sent|committed to) /);
  });

  it('names the liar when what is sealed does not open, or is no CBOR', async () => {
    const lie = { round: 2, type: 'part', to: ANN } as const;
    const cut = await keygen.sign(lie, Uint8Array.of(0x58));
    const verdict = await keygen.hear(ANN, 2, new Map([[keygen.nameOf(lie), cut]]));
    expect(verdict).toMatchObject({ exit: 1, code: 'E_THRESHOLD_CULPRIT', culprits: [LIAR] });
  });

  it('names the liar when it takes the place of another in its proof', async () => {
    const lie = { round: 1, type: 'commitments', to: null } as const;
    const forged = new Map([
      [keygen.nameOf(lie), await keygen.tell({ ...lie, body: (body) => body })],
    ]);
    expect((await keygen.hear(ANN, 1, forged)).code).toBe('done');
    const theirs = encodeCbor(keygen.broadcast(BEN, 1, 'commitments'));
    const stolen = new Map([[keygen.nameOf(lie), await keygen.sign(lie, theirs)]]);
    expect(await keygen.hear(ANN, 1, stolen)).toMatchObject({ exit: 1, culprits: [LIAR] });
  });
});

/** An echo in which the liar heard something else of Ben. */
const misheard = (echo: Uint8Array): Uint8Array => {
  const { heard: all, ...rest }: Echo = decodeEcho(echo, 'echo');
  const heard = all.map(({ sender, digest }) => ({
    sender,
    digest: sender === BEN ? flipped(digest) : digest,
  }));
  return encodeEcho({ ...rest, heard });
};

describe('a lie that could be another’s', () => {
  it('about what was heard: says which messages to lay side by side, and accuses nobody', async () => {
    const lies: readonly (readonly [Stage, Lie])[] = [
      [keygen, { round: 2, type: 'echo', to: null, body: (body) => misheard(bytes(body)) }],
      [
        signing,
        {
          round: 2,
          type: 'signature-share',
          to: null,
          body: (body) => [list(body)[0] as Cbor, misheard(bytes(list(body)[1]))],
        },
      ],
    ];
    for (const [stage, lie] of lies) {
      const verdict = await heard(stage, lie);
      expect(verdict).toMatchObject({ exit: 1, code: 'E_THRESHOLD_ECHO' });
      expect(verdict.culprits).toBeUndefined();
      expect(verdict.details).toMatchObject({ disputed: [BEN], reportedBy: LIAR });
    }
  });

  it('about the record: is told as what it is', async () => {
    const lies: readonly Lie[] = [
      {
        round: 3,
        type: 'confirm',
        to: null,
        body: (body) => [flipped(list(body)[0]), list(body)[1] as Cbor],
      },
      { round: 4, type: 'acknowledge', to: null, body: flipped },
    ];
    for (const lie of lies) {
      const verdict = await heard(keygen, lie);
      expect(verdict).toMatchObject({ exit: 1, code: 'E_THRESHOLD_DISAGREEMENT' });
      expect(verdict.message).toMatch(/party 3/);
    }
  });
});

describe('two different things said to two', () => {
  it.each(['commitments', 'nonces'])(
    '%s: both hear of it, and with both copies the liar is named',
    async (type) => {
      const stage = type === 'nonces' ? await unsigned('sign-two') : keygen;
      const slot = { round: 1, type, to: null } as const;
      const [other] = await stage.otherwise();
      const name = stage.nameOf(slot);
      const forged = new Map([[name, other?.bytes as Uint8Array]]);
      // Ben has the other version, and cannot know.
      const his = await stage.hear(BEN, 1, forged);
      expect(his).toMatchObject({ exit: 0, code: 'done' });
      const hers = await stage.hear(ANN, 1, new Map());
      expect(hers).toMatchObject({ exit: 0, code: 'done' });
      // The liar goes on as if nothing were.
      if (type === 'nonces') await phase(thresholdSign, 'round', cem, stage.net);
      const theirs = stage.files(2, ANN).filter((each) => each.includes(`-from-${LIAR}-`));
      const next = [his.out, ...theirs.map((each) => join(stage.net, each))];
      const dispute = await stage.round(ann, hers.session, next, hers.out);
      expect(dispute).toMatchObject({ exit: 1, code: 'E_THRESHOLD_ECHO' });
      expect(dispute.details).toMatchObject({ disputed: [LIAR], reportedBy: BEN });
      expect(dispute.culprits).toBeUndefined();
      const copy = lying(other?.bytes as Uint8Array);
      const proven = await stage.round(ann, hers.session, [copy], hers.out);
      expect(proven).toMatchObject({ exit: 1, code: 'E_THRESHOLD_EQUIVOCATION', culprits: [LIAR] });
      expect(proven.message).toContain(copy);
    },
  );

  it('both in one folder: the liar is named before anything is answered', async () => {
    const [other] = await keygen.otherwise();
    const folder = new Map([
      [keygen.nameOf({ round: 1, type: 'commitments', to: null }), other?.bytes as Uint8Array],
    ]);
    const { session: at } = await keygen.hear(ANN, 1, folder);
    const out = ann.place.at('both-out');
    const verdict = await keygen.round(ann, at, [keygen.net], out);
    expect(verdict).toMatchObject({ exit: 1, culprits: [LIAR] });
  });
});

describe('nonces that are not of this session', () => {
  it('an old message is foreign, and blames nobody', async () => {
    const slot = { round: 1, type: 'nonces', to: null } as const;
    const old = await unsigned('sign-old');
    const stage = await unsigned('sign-new');
    const stale = readFileSync(join(old.net, old.nameOf(slot)));
    const replayed = await stage.hear(ANN, 1, new Map([[stage.nameOf(slot), stale]]));
    expect(replayed).toMatchObject({ exit: 1, code: 'E_MESSAGE_FOREIGN', culprits: undefined });
    expect(replayed.message).toContain(stage.nameOf(slot));

    // Signed anew they are the liar's own affair, until its share of the signature does not fit them.
    const body = encodeCbor(old.broadcast(LIAR, 1, 'nonces'));
    const again = await stage.sign(slot, body);
    const forged = new Map([[stage.nameOf(slot), again]]);
    const hers = await stage.hear(ANN, 1, forged);
    const his = await stage.hear(BEN, 1, forged);
    expect([hers.code, his.code]).toEqual(['done', 'done']);
    const digests = [hers, his].map(({ out }) => echoIn(stage, out));
    const z = Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 5 : 0));
    const share = { round: 2, type: 'signature-share', to: null } as const;
    const made_ = lying(await stage.sign(share, encodeCbor([z, digests[0] as Uint8Array])));
    const verdict = await stage.round(ann, hers.session, [his.out, made_], hers.out);
    expect(verdict).toMatchObject({ exit: 1, code: 'E_THRESHOLD_CULPRIT', culprits: [LIAR] });
  });
});

describe('a message that was changed on the way', () => {
  const slots = [
    [() => keygen, 'commitments', 1, null],
    [() => keygen, 'part', 2, ANN],
    [() => keygen, 'echo', 2, null],
    [() => keygen, 'confirm', 3, null],
    [() => keygen, 'acknowledge', 4, null],
    [() => signing, 'nonces', 1, null],
    [() => signing, 'signature-share', 2, null],
  ] as const;

  it.each(slots)(
    '%s %s is refused, whichever bit it was, and nobody is blamed',
    async (which, type, round, to) => {
      const stage = which();
      const name = stage.nameOf({ round, type, to });
      const whole = readFileSync(join(stage.net, name));
      const count = thorough ? 16 : 2;
      for (let i = 0; i < count; i++) {
        const changed = Buffer.from(whole);
        const at = Math.floor(((i + 0.5) / count) * whole.length);
        changed[at] = (changed[at] as number) ^ (1 << (i % 8));
        const verdict = await stage.hear(ANN, round, new Map([[name, changed]]));
        expect([1, 65]).toContain(verdict.exit);
        expect(verdict.culprits).toBeUndefined();
        expect(verdict.message).toContain(name);
        // The true one, late: nothing was lost.
        if (i > 0) continue;
        const late = await stage.round(ann, verdict.session, [stage.net], verdict.out);
        expect(late.code).toBe('done');
      }
    },
  );
});

describe('whoever was lied to', () => {
  it('keeps the key, and signs with the others', async () => {
    const results = await session(
      thresholdSign,
      [ann, ben],
      join(here.net, 'after'),
      { key: KEY, message, quorum: '1,2' },
      { expect: DIGEST },
    );
    const signature = results[0]?.signature ?? '';
    const { ok } = await ben.place.run(verify, { key: KEY, in: message, signature });
    expect(ok).toBe(true);
  });
});

/** The echo in the share of a signature that was written into a folder. */
function echoIn(stage: Stage, folder: string): Uint8Array {
  const [, echo] = list(stage.said(folder, 'signature-share'));
  return bytes(echo);
}
