/**
 * One who lies while shares change, by words that are signed: the others' programs name the liar where it can be known, blame nobody
 * where it cannot, and whoever was lied to keeps the share of before and signs with the others.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { thresholdEnrol } from '#actions/threshold-enrol';
import { thresholdKeygen } from '#actions/threshold-keygen';
import { thresholdRefresh } from '#actions/threshold-refresh';
import { thresholdRepair } from '#actions/threshold-repair';
import { thresholdReshare } from '#actions/threshold-reshare';
import { thresholdSign } from '#actions/threshold-sign';
import { verify } from '#actions/verify';
import type { Cbor } from '#formats/cbor';
import { encodeCbor } from '#formats/cbor';
import { decodeEcho, encodeEcho } from '#protocols/parties/inbox';
import { thorough } from '../support/require.js';
import { fileOf, LIAR, type Lie, Stage } from './lying.js';
import { room, type Room, session, type TestParty } from './party.js';

const CONTENT = 'pay the miller';
const DIGEST = `sha256:${createHash('sha256').update(CONTENT).digest('hex')}`;
const KEY = 'treasury';
const [ANN, BEN, DAN] = [1, 2, 4];

let here: Room;
let members: readonly TestParty[];
const made: string[] = [];

beforeAll(async () => {
  here = await room(['Ann', 'Ben', 'Cem', 'Dan']);
  members = here.people.slice(0, 3);
  const party = members.map(({ pub }) => pub);
  await session(
    thresholdKeygen,
    members,
    join(here.net, 'keygen'),
    { suite: 'ristretto255', threshold: 2, party },
    {},
    { name: KEY },
  );
});
afterAll(() => {
  here.remove();
  for (const path of made) rmSync(dirname(path), { recursive: true });
});

const list = (body: Cbor | undefined): readonly Cbor[] => body as readonly Cbor[];
const bytes = (body: Cbor | undefined): Uint8Array => body as Uint8Array;
const flipped = (body: Cbor | undefined): Uint8Array => {
  const copy = bytes(body).slice();
  copy[5] = (copy[5] as number) ^ 1;
  return copy;
};
/** The neutral element of ristretto255. */
const ZERO = new Uint8Array(32);

/** How each change begins; in all of them the liar contributes. */
const changes: Readonly<
  Record<string, readonly [object, () => Readonly<Record<string, unknown>>, number]>
> = {
  refresh: [thresholdRefresh, () => ({ key: KEY }), 3],
  reshare: [
    thresholdReshare,
    () => ({
      key: KEY,
      threshold: 2,
      quorum: '1,3',
      party: members.map(({ pub }) => pub),
    }),
    3,
  ],
  repair: [thresholdRepair, () => ({ key: KEY, lost: BEN, quorum: '1,3' }), 3],
  enrol: [
    thresholdEnrol,
    () => ({ key: KEY, quorum: '1,3', party: [here.people[DAN - 1]?.pub] }),
    4,
  ],
};

/** Changes that are led to their end: a dealing and a repair end alike. */
const WHOLE: ReadonlySet<string> = new Set(['reshare', 'enrol']);

const stages = new Map<string, Stage>();

/** A change that was led through honestly, with what each had before every round. */
async function stageOf(operation: string, again = ''): Promise<Stage> {
  const known = stages.get(operation + again);
  if (known !== undefined) return known;
  const [command, begin, count] = changes[operation] as (typeof changes)[string];
  const people = here.people.slice(0, count);
  const net = join(here.net, operation + again);
  const rounds = again !== '' ? 1 : WHOLE.has(operation) ? 4 : 2;
  const stage = await Stage.play(command, operation, people, net, begin(), {}, rounds);
  stages.set(operation + again, stage);
  return stage;
}

/** The first words of a change, and the private ones after them. */
const dealt = (operation: string): boolean => operation === 'refresh' || operation === 'reshare';

/** A lie about the first commitments: in place of those to one's own share, those to nothing or to something else. */
function openings(operation: string): readonly (readonly [string, Lie['body']])[] {
  return dealt(operation)
    ? [
        operation === 'reshare'
          ? [
              'the constant of another',
              (body) => {
                const [[, ...rest], proof] = list(body) as readonly [readonly Cbor[], Cbor];
                // What it truly committed to, in the place of what it owes.
                return [[rest[0] as Cbor, ...rest], proof];
              },
            ]
          : ['a commitment to nothing', (body) => [[ZERO], list(body)[1] as Cbor]],
        [
          'a proof of something that needs none',
          (body) => [list(body)[0] as Cbor, new Uint8Array(64).fill(1)],
        ],
        [
          'a commitment too many',
          (body) => [
            [...list(list(body)[0]), list(list(body)[0])[0] as Cbor],
            list(body)[1] as Cbor,
          ],
        ],
      ]
    : [
        ['summands of another sum', (body) => [...list(body)].reverse()],
        ['a summand of nothing', (body) => [ZERO, ...list(body).slice(1)]],
        ['a summand too few', (body) => list(body).slice(1)],
      ];
}

const misheard =
  (of: number): Lie['body'] =>
  (body) => {
    const { heard, ...rest } = decodeEcho(bytes(body), 'echo');
    return encodeEcho({
      ...rest,
      heard: heard.map(({ sender, digest }) => ({
        sender,
        digest: sender === of ? flipped(digest) : digest,
      })),
    });
  };

const wanted = thorough ? Object.keys(changes) : ['reshare'];

describe.each(wanted)('a lie in a %s', (operation) => {
  const first = dealt(operation) ? 'commitments' : 'summands';
  const tell = async (lie: Lie, to: number) => {
    const stage = await stageOf(operation);
    const forged = new Map([[stage.nameOf(lie), await stage.tell(lie)]]);
    return await stage.hear(to, lie.round, forged);
  };

  it('about what is dealt names the liar', async () => {
    // Whoever lost a share or joins hears the liar too, but acts on it a round later.
    for (const [what, body] of openings(operation)) {
      const verdict = await tell({ round: 1, type: first, to: null, body }, ANN);
      expect([what, verdict.code, verdict.culprits]).toEqual([what, 'E_THRESHOLD_CULPRIT', [LIAR]]);
    }
  });

  it('to one alone names the liar there, and the others hear nothing wrong', async () => {
    const target = { repair: BEN, enrol: DAN }[operation];
    const lies: readonly (readonly [Lie, number])[] =
      target === undefined
        ? [[{ round: 2, type: 'part', to: BEN, body: flipped }, BEN]]
        : [
            [{ round: 1, type: 'summand', to: ANN, body: flipped }, ANN],
            [{ round: 2, type: 'sum', to: target, body: flipped }, target],
          ];
    for (const [lie, to] of lies) {
      const verdict = await tell(lie, to);
      expect([lie.type, verdict.exit, verdict.culprits]).toEqual([lie.type, 1, [LIAR]]);
      expect(verdict.message).toMatch(/^party 3 /);
      const other = to === ANN ? BEN : ANN;
      const stage = await stageOf(operation);
      const silent = await stage.hear(other, lie.round, new Map());
      expect([silent.code, silent.culprits]).toEqual(['done', undefined]);
    }
  });

  it('about what was heard, or about the record, accuses nobody who did not say it', async () => {
    const echo = await tell({ round: 2, type: 'echo', to: null, body: misheard(ANN) }, BEN);
    expect(echo).toMatchObject({ exit: 1, code: 'E_THRESHOLD_ECHO', culprits: undefined });
    expect(echo.details).toMatchObject({ disputed: [ANN], reportedBy: LIAR });
    if (!WHOLE.has(operation)) return;
    const record: readonly Lie[] = [
      {
        round: 3,
        type: 'confirm',
        to: null,
        body: (body) => [flipped(list(body)[0]), ...list(body).slice(1)],
      },
      { round: 4, type: 'acknowledge', to: null, body: flipped },
    ];
    for (const lie of record) {
      const verdict = await tell(lie, ANN);
      expect(verdict).toMatchObject({ exit: 1, code: 'E_THRESHOLD_DISAGREEMENT' });
      expect(verdict.message).toMatch(/party 3/);
    }
  });

  it('said in two ways names the liar once both are on one table', async () => {
    const stage = await stageOf(operation);
    const [other] = await stage.otherwise();
    const copy = fileOf(other?.bytes as Uint8Array);
    made.push(copy);
    const honest = await stage.hear(ANN, 1, new Map());
    expect(honest.code).toBe('done');
    const proven = await stage.round(members[0] as TestParty, honest.session, [copy], honest.out);
    expect(proven).toMatchObject({ exit: 1, code: 'E_THRESHOLD_EQUIVOCATION', culprits: [LIAR] });
  });

  it.runIf(operation === 'reshare')(
    'of another session is foreign, and blames nobody',
    async () => {
      const old = await stageOf(operation, '-old');
      const stage = await stageOf(operation);
      const slot = { round: 1, type: first, to: null } as const;
      const stale = readFileSync(join(old.net, old.nameOf(slot)));
      const replayed = await stage.hear(ANN, 1, new Map([[stage.nameOf(slot), stale]]));
      expect(replayed).toMatchObject({ exit: 1, code: 'E_MESSAGE_FOREIGN', culprits: undefined });
      // The same words, signed for this session: true of a share, but in two versions now.
      const body = encodeCbor(old.broadcast(LIAR, 1, first));
      const again = fileOf(await stage.sign(slot, body));
      made.push(again);
      const both = await stage.hear(ANN, 1, new Map());
      const verdict = await stage.round(members[0] as TestParty, both.session, [again], both.out);
      expect(verdict).toMatchObject({ exit: 1, culprits: [LIAR] });
    },
  );
});

describe('whoever was lied to', () => {
  it('has the share of before, and signs with it', async () => {
    const message = join(here.net, 'message');
    writeFileSync(message, CONTENT);
    const results = await session(
      thresholdSign,
      members.slice(0, 2),
      join(here.net, 'after'),
      { key: KEY, message, quorum: '1,2' },
      { expect: DIGEST },
    );
    const signature = results[0]?.signature ?? '';
    const { ok } = await (members[1] as TestParty).place.run(verify, {
      key: KEY,
      in: message,
      signature,
    });
    expect(ok).toBe(true);
    // Nobody finished a change in which somebody lied.
    const kept = readdirSync((members[0] as TestParty).place.at('home/keys'));
    expect(kept.filter((name) => name.endsWith('.key'))).toHaveLength(1);
  });
});
