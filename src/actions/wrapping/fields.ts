/** Options that several commands of wrapping have, in the same words everywhere. */
import { formatNames } from '#carriage/wrapping/table';
import type { Fields } from '#formats/action';

/** Whom something is wrapped to, and how: `wrap`, `rewrap`. */
export const destinationFields = {
  to: {
    type: 'public-key',
    summary: 'whom it is for; several times for several',
    required: true,
    repeat: true,
    placeholder: 'PUB',
  },
  expectTo: {
    type: 'digest',
    summary: 'refuse any recipient whose key has another digest',
    repeat: true,
    pattern: 'sha256:[0-9a-f]{64}',
    placeholder: 'sha256:HEX',
  },
  format: {
    type: 'string',
    summary: 'form of the result; follows from --to when not given',
    choices: formatNames,
  },
  algorithm: {
    type: 'string',
    summary: "the provider's name for how to wrap, where there is a choice",
    placeholder: 'A',
  },
  armor: { type: 'boolean', summary: 'write text instead of bytes (age)' },
  custody: {
    type: 'string',
    summary: 'who holds the key of --to, for an envelope: a custodian (default), or the owner',
    choices: ['custodial', 'self'],
  },
} as const satisfies Fields;

/** What a format that does not say so holds: `unwrap`, `rewrap`. */
export const contentField = {
  type: 'string',
  summary: 'what is inside, where the format does not say (age)',
  choices: ['key', 'file'],
} as const;

/** Who must have signed for a container: `unwrap`, `handover store`. */
export const senderField = {
  type: 'string',
  summary: 'the sender, who must have signed the statement',
  repeat: true,
  placeholder: 'PUB',
} as const;
