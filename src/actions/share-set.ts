/** `share.set`: in a ceremony that shares are brought to, which set they are checked against, so that people can compare it. */
import { assertRoot, structureOf } from '#protocols/sharing/share-set';
import { describeStructure } from '#protocols/sharing/structure';
import { defineAction } from './action.js';
import { type NamedSet, takeSet } from './shares/sources.js';

/** What a description says of itself. */
export interface SetResult {
  readonly ok: boolean;
  readonly setId: string;
  readonly root: string;
  /** `any 3 of 5`. */
  readonly quorum: string;
  /** Key id that the shares give back; null for a file. */
  readonly keyId: string | null;
}

export const shareSet = defineAction({
  id: 'share.set',
  summary: 'say which set of shares a description is of',
  description:
    'Reads set.json, and makes sure that its root follows from its commitments. Whether it is the set that people mean they see from ' +
    'the root, which stands in the record of the ceremony that dealt it.',
  inputs: {
    set: { type: 'share-set', summary: 'description of the set', required: true },
  },
  outputs: {
    ok: { type: 'verdict', summary: 'whether the root follows from the commitments' },
    setId: { type: 'string', summary: 'id of the set' },
    root: { type: 'string', summary: 'root of the commitments' },
    quorum: { type: 'string', summary: 'how many shares bring the secret back' },
    keyId: { type: 'string', summary: 'id of the key that they bring back' },
  },
  effect: 'none',
  only: 'ceremony',
  examples: [],
  run: (input, context): Promise<SetResult> => {
    const { name, file } = takeSet([], input.set, context.files).set as NamedSet;
    assertRoot(file.set, name);
    const { setId, root, keyId } = file.set;
    const quorum = describeStructure(structureOf(file.set));
    return Promise.resolve({ ok: true, setId, root, quorum, keyId });
  },
  present: ({ setId, root, quorum }) => `set ${setId}: ${quorum}; root ${root}`,
});
