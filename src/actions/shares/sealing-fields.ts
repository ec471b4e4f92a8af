/** Inputs and outputs that the actions have in common which make shares or change a set: said once, read the same everywhere. */
import type { Fields } from '#formats/action';

/** Sealing by option or, in a ceremony, by role. */
export const sealingFields = {
  sealTo: {
    type: 'public-key',
    summary: 'seal to this identity: once per share in order, or once for all',
    repeat: true,
    placeholder: 'PUB',
  },
  sealPassphraseFile: {
    type: 'file',
    summary: 'seal by the passphrase in this file: once per share in order, or once for all',
    repeat: true,
    only: 'cli',
    placeholder: 'FILE',
  },
  sealKdf: {
    type: 'string',
    summary: 'what stretches the passphrases; scrypt unless said',
    choices: ['scrypt', 'argon2id'],
  },
  unsealed: { type: 'boolean', summary: 'leave the shares unsealed' },
  custodians: {
    type: 'role',
    summary: 'role whose holders get a share each, sealed to each of them',
    only: 'ceremony',
  },
} as const satisfies Fields;

/** Where new shares go. */
export const outputFields = {
  outDir: {
    type: 'path',
    summary: 'folder for the shares and set.json',
    required: true,
    placeholder: 'DIR',
  },
} as const satisfies Fields;

/** The old set and where the new one goes. */
export const oldSetFields = {
  set: { type: 'share-set', summary: 'description of the old set', placeholder: 'set.json' },
  ...outputFields,
} as const satisfies Fields;

/** Who opens the old shares where other people get the new ones. */
export const holdersField = {
  holders: {
    type: 'role',
    summary: 'role whose holders open the old shares, in order',
    only: 'ceremony',
  },
} as const satisfies Fields;

/** The old cards, by position. */
export const oldShares = {
  type: 'shares',
  summary: 'old share files; set.json may be among them',
  required: true,
  repeat: true,
  positional: 0,
  placeholder: 'FILE',
} as const;

/** What every change gives to later steps. */
export const changeOutputs = {
  set: { type: 'share-set', summary: 'public description of the new set' },
  shares: { type: 'shares', summary: 'the new share files', repeat: true },
  setId: { type: 'string', summary: 'id of the set' },
  root: { type: 'string', summary: 'root of the new commitments' },
  previousRoot: { type: 'string', summary: 'root of the description that is replaced' },
  proven: { type: 'string', summary: 'which quorums were proven' },
} as const;
