/**
 * Small sessions in which everything happens that a transcript can tell of. `transcripts-v2.test.ts` writes them into a folder
 * when `CONCLAVE_SAMPLES` names one; what lies in `v2/transcripts` was written so, once, and is only read since.
 */
import { parseDefinition } from '#script/parse';
import { enrol, participants, smallCeremony } from '../ceremony/directory.js';
import { comers, COMERS, comersRoom, mediumOf } from '../ceremony/enrolment-room.js';
import { type Asked, CTRL_C, type PlayedTerminal, type Player, playedTerminal } from '../ceremony/people.js';
import { Disk, place } from '../ceremony/memory-host.js';
import { furnish, roomContext, type RoomOptions, runIn } from '../ceremony/room.js';
import { BRANCHED } from '../script/branched.js';
import { type Draft, makePeople, makeSession, publish } from '../script/session.js';

type Input = Partial<Parameters<typeof runIn>[1]>;

const DIR = '/ceremony';
const OUT = `${DIR}/out`;
const TRANSCRIPT = `${OUT}/transcript.json`;

const confirm = (id: string, more = ''): string =>
  `- { id: ${id}, title: The administrator looks at the ${id}, by: administrator, do: confirm, say: It is as it should be.${more} }\n`;

function room(definition: string): Disk {
  const disk = new Disk();
  furnish(disk);
  place(disk, `${DIR}/definition.yaml`, definition);
  return disk;
}

async function play(
  disk: Disk,
  player: Player,
  input: Input = {},
  host: RoomOptions['host'] = {},
): Promise<Awaited<ReturnType<typeof runIn>>> {
  const context = await roomContext(disk, { terminal: playedTerminal(player), host });
  return await runIn(context, { ceremony: DIR, outDir: OUT, ...input });
}

/** Plays until somebody leaves, or the ceremony stops for another reason. */
async function left(...given: Parameters<typeof play>): Promise<void> {
  const ended = await play(...given).then(
    () => true,
    () => false,
  );
  if (ended) throw new Error('it was to stop on the way');
}

function made(disk: Disk): Uint8Array {
  const bytes = disk.files.get(TRANSCRIPT);
  if (bytes === undefined) throw new Error('there is no transcript');
  return bytes;
}

/** Whoever is asked at a step presses Ctrl-C there once, and leaves. */
const leaveAt =
  (step: string): Player =>
  ({ key, choices }) =>
    key === step && !choices.includes('leave') ? CTRL_C : undefined;

/** Ways of a branch, and failures that lead away, back and onward; somebody objects, and somebody does not sign. */
async function ways(): Promise<Uint8Array> {
  const disk = room(BRANCHED);
  const no: Player = ({ key, kind }) =>
    key !== 'convene/presence' ? undefined : kind === 'confirm' ? false : 'no';
  await left(disk, no);
  let [printer, refused, menus, pressed] = [0, false, 0, false];
  const player = (asked: Asked): boolean | string | undefined => {
    const { key, kind, choices, question } = asked;
    if (choices.includes('leave')) return ['objection', 'again'][menus++] ?? 'again';
    if (question === 'Who disagrees?') return '1';
    if (kind === 'text' && question.startsWith('witness: with what')) return 'It is too dark here.';
    switch (key) {
      case 'convene/presence':
        if (pressed) return undefined;
        pressed = true;
        return CTRL_C;
      case 'convene/printer':
        return printer++ === 0 ? 'works' : 'broken';
      case 'paper/typed':
        return '17';
      case 'hand/written':
        return '71';
      case 'compare/compare/witness': {
        const refuses = !refused;
        if (kind === 'choose') refused = true;
        return kind === 'choose' ? 'no' : !refuses;
      }
      case 'compare/lamp':
        return kind === 'confirm' ? false : kind === 'choose' ? 'no' : 'The bulb is gone.';
      case 'close/witness/witness':
        return kind === 'choose' ? 'disagree' : 'I could not see the paper.';
      default:
        return undefined;
    }
  };
  await play(disk, player, { resume: true, param: [] });
  return made(disk);
}

const KEYS = [
  '- { id: generate, title: The administrator generates the key, by: administrator, uses: key.generate, effect: irreversible, with: { algorithm: ed25519, name: small, public-out: small.pub, people-bits: 20 } }\n',
  confirm('paper'),
  '- { id: split, title: The administrator splits it 2 of 3, by: administrator, needs: two, uses: share.split, effect: repeatable, with: { key: "${{ steps.generate.key }}", threshold: "${{ quorums.two.threshold }}", shares: "${{ quorums.two.shares }}", custodians: custodian, out-dir: shares } }\n',
  '- { id: prove, title: The administrator proves every quorum, by: administrator, uses: share.prove, effect: none, with: { set: "${{ steps.split.set }}", shares: "${{ steps.split.shares }}", custodians: custodian } }\n',
  confirm('bags'),
  '- { id: sign, title: The administrator signs the list of shares, by: administrator, uses: sign, effect: repeatable, with: { key: "${{ steps.generate.key }}", in: "${{ steps.split.set }}", out: set.sig } }\n',
  '- { id: verify, title: The administrator verifies the signature, by: administrator, uses: verify, effect: none, with: { key: "${{ steps.generate.public }}", in: "${{ steps.split.set }}", signature: "${{ steps.sign.signature }}" } }\n',
  confirm('lid'),
  '- { id: wipe, title: The administrator wipes the key, by: administrator, uses: key.wipe, effect: irreversible, with: { key: "${{ steps.generate.key }}" } }\n',
].join('');

const keyCeremony = (): string =>
  smallCeremony(KEYS).replace(
    'acts:',
    [
      '  custodian: { count: 3, identity: required, summary: keeps a share }',
      'quorums:',
      '  two: { of: custodian, threshold: 2, shares: 3 }',
      'acts:',
    ].join('\n'),
  );

const throws: Player = ({ key, kind, choices }) => {
  if (key !== 'work/generate') return undefined;
  if (kind === 'choose') return choices.includes('dice') ? 'dice' : undefined;
  return kind === 'text' || kind === 'secret' ? '6142532461532146' : undefined;
};

/** A ceremony of one key, left at these steps and taken up again. */
async function leftAt(...steps: readonly string[]): Promise<Uint8Array> {
  const disk = room(keyCeremony());
  for (const [i, step] of steps.entries())
    await left(disk, (asked) => leaveAt(step)(asked) ?? throws(asked), { resume: i > 0 });
  await play(disk, throws, { resume: true });
  return made(disk);
}

/** A key that is lost before its shares are sealed, made again, lost again and brought back. */
const keys = (): Promise<Uint8Array> => leftAt('work/paper', 'work/bags');

/** A key that is lost when nothing needs it any more. */
const lost = (): Promise<Uint8Array> => leftAt('work/lid');

/** A step that is tried again and then left out, and one after which nothing more is done. */
async function failing(): Promise<Uint8Array> {
  const steps =
    confirm('lamp', ', retry: 1, on-failure: deviate') +
    '- { id: each, title: The witness looks, by: witness, each: witness, do: confirm, say: It is so., retry: 1, on-failure: deviate }\n' +
    confirm('safe', ', on-failure: abort');
  const disk = room(smallCeremony(steps));
  await play(disk, ({ key, kind }) => {
    if (!key.startsWith('work/')) return undefined;
    return kind === 'confirm' && !key.endsWith('/witness/witness')
      ? false
      : kind === 'choose'
        ? 'no'
        : undefined;
  });
  return made(disk);
}

const GATE = `conclave: 1
id: gate
title: A small ceremony in earnest
summary: Everybody looks twice, in a room that is not quite as it should be.
classification: production
parameters:
  place: { type: string, summary: where it is held, choices: [cellar, attic], default: cellar }
  bags: { type: integer, summary: how many bags there are, default: 2 }
  spare: { type: boolean, summary: whether there is a spare, default: true }
roles:
  administrator: { count: 1, identity: required, level: verified, distinct-from: [custodian, witness], summary: drives }
  custodian: { count: 2, identity: optional, distinct-from: [administrator, witness], summary: keeps a bag }
  witness: { count: 2, identity: required, level: tofu, distinct-from: [administrator, custodian], summary: attests }
materials:
  bag: { kind: tamper-evident bag, count: 2, serial: required }
environment: { require: [clock, swap, network-interfaces], recheck: every-act }
acts:
  - id: convene
    title: Convene
    steps:
      - { id: digest, title: Each witness reads the digest, by: witness, each: witness, do: read-back, value: "\${{ session.execution-digest }}" }
      - { id: script, title: Each witness reads the digest of the script, by: witness, each: witness, do: read-back, value: "\${{ session.definition-digest }}" }
      - { id: look, title: The administrator looks at the clock, by: administrator, do: confirm, say: It is right., timeout: 1 }
  - id: bags
    title: Bags
    steps:
      - { id: bag, title: Each custodian seals a bag, by: custodian, each: custodian, do: seal, value: "\${{ materials.bag }}" }
      - { id: told, title: Each custodian confirms the serial, by: custodian, each: custodian, do: confirm, say: "I keep the bag \${{ steps.bag.serial }}." }
      - { id: spare, title: Each witness looks at the spare bag, by: witness, each: witness, do: confirm, say: It is whole., when: parameters.bags == 3 }
      - { id: rest, title: The administrator rests, by: administrator, do: pause, when: parameters.bags == 3 and parameters.spare and parameters.place == 'attic' }
  - id: close
    title: Close
    steps:
      - { id: administrator, title: The administrator signs off, by: administrator, each: administrator, do: sign-off }
      - { id: witness, title: Each witness signs off, by: witness, each: witness, do: sign-off }
`;

/** In earnest, at a machine that is not as it should be: waived, late, with a predecessor, and with bags for the ledger. */
async function gate(): Promise<Uint8Array> {
  const disk = room(GATE);
  const context = await roomContext(disk);
  const people = [
    { name: 'Ada', role: 'administrator', level: 'verified' },
    { name: 'Wim', role: 'witness', level: 'introduced' },
    { name: 'Wren', role: 'witness', level: 'tofu' },
  ];
  for (const { name } of people) await enrol(disk, context, name);
  const listed = [
    ...people.map((it) => ({ ...it, identity: true })),
    ...['Cara', 'Cem'].map((name) => ({ name, role: 'custodian', identity: false })),
  ];
  let text = participants(listed);
  for (const { name, level } of people) text = text.replace(`${name}.pub`, `${name}.pub, level: ${level}`);
  place(disk, `${DIR}/participants.yaml`, text);
  place(
    disk,
    `${DIR}/site.yaml`,
    [
      'site: 1',
      `previous: { ceremony: root-key, head: ${'5a'.repeat(32)} }`,
      'identities:',
      ...people.map(({ name }) => `  ${name}: ../people/${name}.key`),
      '',
    ].join('\n'),
  );
  let now = Date.parse('2027-03-01T09:30:00Z');
  let [pressed, menus] = [false, 0];
  await play(
    disk,
    ({ key, kind, question, choices }) => {
      if (choices.includes('leave')) return menus++ === 0 ? 'objection' : 'again';
      if (question === 'Who disagrees?') return '3';
      if (question.startsWith('Cara: with what')) return 'This bag was open before.';
      if (key === 'bags/bag/Cara' && !pressed) {
        pressed = true;
        return CTRL_C;
      }
      if (key === 'environment/required' && kind === 'choose') return 'deviate';
      if (key === 'convene/look' && kind === 'confirm') now += 90_000;
      if (kind !== 'text') return undefined;
      if (key.startsWith('bags/bag/')) return key.endsWith('Cara') ? 'B-1001' : 'B-1002';
      if (key === 'convene/look') return 'The clock hangs behind the door.';
      return key === 'environment/required' ? 'The machine was looked through by hand.' : undefined;
    },
    {},
    {
      now: () => new Date((now += 1000)),
      airGap: () => [
        { name: 'clock', result: 'ok', detail: 'the clock is right' },
        { name: 'swap', result: 'finding', detail: 'swap is on' },
        { name: 'network-interfaces', result: 'not-checked', detail: 'this machine cannot be asked' },
      ],
    },
  );
  return made(disk);
}

/** A rehearsal that everything disturbs, answered from a file. */
async function disturbed(): Promise<Uint8Array> {
  const faults = ['wrong-pin', 'token-pulled', 'garbled-print', 'bad-clock', 'power-cut', 'full-disk'];
  const disk = room(smallCeremony(faults.map((fault) => confirm(fault)).join('')));
  const answers = [
    ...faults.map((fault) => `  work/${fault}: { confirm: true }`),
    ...['administrator', 'witness'].map((it) => `  close/${it}/${it}: { choice: agree }`),
  ];
  place(disk, '/answers.yaml', `answers:\n${answers.join('\n')}\n`);
  const input = { rehearse: true, answers: '/answers.yaml' } as const;
  const run = async (more: Input): Promise<unknown> =>
    await runIn(await roomContext(disk), { ceremony: DIR, outDir: OUT, ...input, ...more });
  const cut = (ran: Promise<unknown>): Promise<boolean> =>
    ran.then(
      () => false,
      () => true,
    );
  const inject = faults.map((fault) => `${fault}@${fault}`);
  const stopped = [await cut(run({ inject })), await cut(run({ resume: true }))];
  if (stopped.includes(false)) throw new Error('a fault did not come');
  await run({ resume: true });
  return made(disk);
}

/** Somebody gets an identity on the way: told as transcripts had it before the engine enrolled anybody. */
async function enrolled(): Promise<Uint8Array> {
  const text = smallCeremony(
    '- { id: join, title: The guest makes an identity, by: guest, each: guest, uses: identity.new, effect: repeatable, with: { name: guest, out: guest.key } }\n',
  ).replace('acts:', '  guest: { count: 1, identity: required, summary: joins }\nacts:');
  const { definition } = parseDefinition(Buffer.from(text), 'definition.yaml');
  const people = await makePeople(definition, 'dev');
  const guest = people.participants.find(({ role }) => role === 'guest');
  if (guest === undefined) throw new Error('there is no guest');
  people.participants[people.participants.indexOf(guest)] = {
    ...guest,
    identity: null,
    level: 'none',
  };
  const whole = await makeSession(text, 'run', people);
  const { name, role, identity } = guest;
  const entry = { type: 'participant.enrolled', data: { name, role, identity, level: 'tofu' } };
  const sha256 = '5a'.repeat(32);
  const shown: Draft = {
    type: 'event',
    data: {
      ...{ act: 'work', step: 'join', for: name, event: 'qr.shown' },
      data: { kind: 'identity', name: 'guest.key.pub', bytes: 4096, sha256, way: 'qr' },
    },
  };
  const at = whole.drafts.findIndex(({ type }) => type === 'step.started') + 1;
  const drafts = whole.drafts.toSpliced(at, 0, shown, entry as unknown as Draft);
  return await publish(whole, drafts);
}

/** People who come in: one made an identity and was compared, one brought one and was not. */
async function comeIn(): Promise<Uint8Array> {
  const { disk, context } = await comersRoom();
  await enrol(disk, context, 'Hal');
  place(disk, mediumOf('Hal'), disk.files.get('/people/Hal.key') ?? new Uint8Array(0));
  const terminal: PlayedTerminal = playedTerminal(comers(() => terminal.shown));
  await runIn(await roomContext(disk, { terminal }), { ceremony: COMERS, outDir: OUT });
  return made(disk);
}

/** The sessions, by the name of the sample. */
export const sampleSessions: Readonly<Record<string, () => Promise<Uint8Array>>> = {
  ways,
  keys,
  lost,
  failing,
  gate,
  disturbed,
  enrolled,
  comers: comeIn,
};

