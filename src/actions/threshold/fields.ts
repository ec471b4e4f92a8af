/** Inputs and outputs that several threshold commands have. */
import { groupSuiteNames } from '#crypto/frost/suite';
import type { Field, Fields, OutputField } from '#formats/action';

/** The curves, as `--suite` names them. */
export const suiteChoices: readonly string[] = groupSuiteNames.map((name) =>
  name.replace(/^frost-/, ''),
);

/** Which key the session is about. */
export const keyField = {
  type: 'key',
  summary:
    'the group key whose share is here; those who join need it only when it has another place',
} as const satisfies Field;

/** Who takes part. */
export const quorumField = {
  type: 'string',
  summary: 'numbers of the members who take part; by default oneself and the first others',
  pattern: '[1-9][0-9]{0,4}(?:,[1-9][0-9]{0,4})*',
  placeholder: 'I,J',
} as const satisfies Field;

/** Where a party keeps its batch of nonces. */
export const preparedField = {
  type: 'path',
  summary: 'folder in which your batch of prepared nonces is kept',
  placeholder: 'DIR',
} as const satisfies Field;

/** Whose public identity files are named. */
export const partyField = <const S extends string>(
  summary: S,
): {
  readonly type: 'public-key';
  readonly summary: S;
  readonly repeat: true;
  readonly placeholder: string;
} => ({ type: 'public-key', summary, repeat: true, placeholder: 'PUB' });

/** What a new share is called where it rests. */
export const nameField = {
  type: 'string',
  summary: 'name of the key in this store, for finish',
  placeholder: 'NAME',
} as const satisfies Field;

/** In a ceremony: where a session that is opened there says what it says. */
export const saidField = {
  type: 'path',
  summary: 'folder of all that is said',
  default: 'threshold',
} as const satisfies Field;

/** In a ceremony: whether commitments come with proofs. */
export const provenField = {
  type: 'boolean',
  summary: 'whether each new commitment comes with a proof of what it opens to',
  default: false,
} as const satisfies Field;

/** In a ceremony: how many, as a policy has it; `summary` says of what. */
export const countField = <const S extends string>(
  summary: S,
): {
  readonly type: 'integer';
  readonly summary: S;
  readonly min: 2;
  readonly max: 255;
  readonly required: true;
} => ({ type: 'integer', summary, min: 2, max: 255, required: true });

/** Of what changes shares: the whole session in one process. */
export const simulateFields = {
  simulate: {
    type: 'boolean',
    summary:
      'run all parties in this process, with the shares that --share names; for development keys',
    only: 'cli',
  },
  share: { type: 'key', summary: 'a share for --simulate', repeat: true },
} as const satisfies Fields;

/** Whether commitments come with proofs. */
export const proveOpeningsField = {
  type: 'boolean',
  summary:
    'for whoever starts: each new commitment comes with a proof of what it opens to, a file of about 0.7 MB',
} as const satisfies Field;

/** Results of every phase. */
export const phaseOutputs = {
  terms: { type: 'string', summary: 'digest of the start message, the same for all' },
  group: { type: 'file', summary: 'the group record, after finish' },
} as const satisfies Readonly<Record<string, OutputField>>;
