/** What comes in for a ceremony: what does not belong to it is told of and left alone, and two versions of one message are not. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ActionContext, Conversation } from '#actions/context/context';
import { takeArriving } from '#actions/threshold/arriving';
import { thresholdKeygen } from '#actions/threshold-keygen';
import { LIAR, Stage } from './lying.js';
import { room, type Room } from './party.js';

const SLOT = { round: 1, type: 'commitments', to: null } as const;
let here: Room;
let stage: Stage;
let earlier: Stage;
let count = 0;

beforeAll(async () => {
  here = await room(['Ann', 'Ben', 'Cem']);
  const party = here.people.map(({ pub }) => pub);
  const begin = { suite: 'ristretto255', threshold: 2, party };
  const play = (name: string): Promise<Stage> =>
    Stage.play(thresholdKeygen, 'keygen', here.people, join(here.net, name), begin, {}, 1);
  earlier = await play('earlier');
  stage = await play('now');
});

afterAll(() => {
  here.remove();
});

const read = (from: Stage): Buffer => readFileSync(join(from.net, from.nameOf(SLOT)));

/** Waits for what Cem says in round 1, in a folder with these files. */
function taking(files: Readonly<Record<string, Uint8Array>>): {
  readonly inbox: string;
  readonly folder: string;
  readonly take: (conversation?: Conversation, round?: number) => Promise<readonly string[]>;
} {
  const at = join(here.net, `taking-${++count}`);
  const [inbox, folder] = [join(at, 'inbox'), join(at, 'session')];
  mkdirSync(inbox, { recursive: true });
  mkdirSync(folder);
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(inbox, name), bytes);
  for (const to of [1, LIAR]) {
    for (const name of stage.files(0, to)) {
      writeFileSync(join(folder, name), readFileSync(join(stage.net, name)));
    }
  }
  const [person] = here.people;
  const party = stage.start.message.parties.find(({ number }) => number === LIAR);
  if (person === undefined || party === undefined) throw new Error('nobody is here');
  const context = person.place.context(person.options);
  return {
    inbox,
    folder,
    take: (conversation, round = 1) => {
      const ask: ActionContext['ask'] = {
        ...context.ask,
        ...(conversation === undefined ? {} : { converse: () => Promise.resolve(conversation) }),
      };
      const wanted = { start: stage.start, party, round, inbox, folder };
      return takeArriving(wanted, { ...context, ask });
    },
  };
}

describe('a message of an earlier session, in the folder of this one', () => {
  it('is told of, and the ceremony goes on waiting', async () => {
    const { inbox, take } = taking({ 'old.msg': read(earlier) });
    const said: string[] = [];
    const asked: string[] = [];
    const [written] = await take({
      say: (text) => said.push(text),
      choose: (question) => {
        asked.push(question);
        // The right one is brought; nobody has to take the other away.
        writeFileSync(join(inbox, 'new.msg'), read(stage));
        return Promise.resolve('files');
      },
      text: () => Promise.reject(new Error('nothing is asked for in words')),
      async *lines() {
        yield await Promise.resolve('');
      },
    });
    expect(asked).toHaveLength(1);
    expect(said[0]).toBe(`${join(inbox, 'old.msg')} belongs to another session. It is left alone.`);
    expect(said[1]).toBe(`Cem (party 3): commitments missing. It goes into ${inbox}.`);
    expect(readFileSync(written ?? '')).toEqual(read(stage));
    expect(readFileSync(join(inbox, 'old.msg'))).toEqual(read(earlier));
  });

  it('is no hindrance where the right one lies beside it', async () => {
    const { take } = taking({
      'a-old.msg': read(earlier),
      'b.msg': read(stage),
      'c-old.msg': read(earlier),
    });
    const [written] = await take();
    expect(readFileSync(written ?? '')).toEqual(read(stage));
  });

  it('is named where nobody can be asked; so is one that was damaged', async () => {
    const damaged = read(stage);
    damaged[damaged.length - 3] = (damaged.at(-3) as number) ^ 1;
    const { inbox, take } = taking({ 'old.msg': read(earlier), 'wet.msg': damaged });
    await expect(take()).rejects.toMatchObject({
      exitCode: 75,
      code: 'E_SESSION_INCOMPLETE',
      message: [
        'Cem (party 3): commitments missing',
        `${join(inbox, 'old.msg')} belongs to another session`,
        `${join(inbox, 'wet.msg')} was not signed by party 3`,
      ].join('; '),
    });
  });
});

describe('a confirmation in another form', () => {
  it('is kept as it was signed: the parties say whose fault it is', async () => {
    for (const body of [Uint8Array.of(0xff), Uint8Array.of(0x80)]) {
      const bytes = await stage.sign({ round: 3, type: 'confirm', to: null }, body);
      const [written] = await taking({ 'confirm.msg': bytes }).take(undefined, 3);
      expect(Uint8Array.from(readFileSync(written ?? ''))).toEqual(bytes);
    }
  });
});

describe('two versions of one message', () => {
  it('name whoever signed both, whether they come together or one after the other', async () => {
    const [other] = await stage.otherwise();
    const second = other?.bytes ?? new Uint8Array(0);
    const named = { exitCode: 1, code: 'E_THRESHOLD_EQUIVOCATION', details: { culprits: [LIAR] } };
    const together = taking({ 'a.msg': read(stage), 'b.msg': second });
    await expect(together.take()).rejects.toMatchObject(named);
    const before = taking({ 'a.msg': second });
    writeFileSync(join(before.folder, stage.nameOf(SLOT)), read(stage));
    await expect(before.take()).rejects.toMatchObject(named);
    expect(readFileSync(join(before.folder, stage.nameOf(SLOT)))).toEqual(read(stage));
  });
});
