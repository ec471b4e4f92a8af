/** `threshold sign`: a quorum signs, each with its own share on its own machine. */
import { UsageError } from '#formats/errors';
import { defineAction } from './action.js';
import { phased } from './threshold/begin.js';
import { keyField, phaseOutputs, preparedField, quorumField } from './threshold/fields.js';
import { phaseFacts, phaseFields, type PhaseResult } from './threshold/phases.js';
import { proposeSign } from './threshold/propose.js';

const inPhases = phased('sign', proposeSign);

export const thresholdSign = defineAction({
  ...phaseFacts,
  id: 'threshold.sign',
  summary: 'sign with a quorum of a group key, one process per party',
  description:
    'FROST in two rounds (RFC 9591). One of the quorum starts with the exact bytes; each of the others says which digest it means ' +
    'to sign when it joins. Nonces are made for this session and message alone, and what they are used for is written down for good ' +
    'before a signature share exists: a copy or an older state of the session cannot make a second one. A state of this whole home ' +
    'that is older than the session, such as a restored backup, is told from the true one only where --memory names a second place: ' +
    'a folder on another medium, the keychain, or a token. Where each signer has prepared a batch of nonces (threshold prepare), ' +
    '--batch and --prepared make a signature of one round: whoever starts signs at once, and whoever joins answers at once. The result is an ordinary signature; whoever sent a wrong share is named.',
  inputs: {
    ...phaseFields,
    key: keyField,
    message: {
      type: 'file',
      summary: 'the bytes to sign, for whoever starts',
      placeholder: 'FILE',
    },
    quorum: quorumField,
    expect: {
      type: 'digest',
      summary: 'digest of the bytes that you mean to sign, for those who join',
      placeholder: 'sha256:HEX',
    },
    prepared: preparedField,
    batch: {
      type: 'file',
      summary: 'batch file of another signer, for whoever starts; folders stand for all in them',
      repeat: true,
      placeholder: 'FILE',
    },
    policy: { type: 'file', summary: 'the policy that the key is bound to', placeholder: 'FILE' },
    memory: {
      type: 'path',
      summary:
        'second place that remembers which nonces were used: a folder on another medium, keychain:, or pkcs11:TOKEN',
      placeholder: 'PLACE',
    },
    simulate: {
      type: 'boolean',
      summary: 'sign in this process alone, with the shares that --share names',
      only: 'cli',
    },
    share: {
      type: 'key',
      summary: 'a share for --simulate',
      repeat: true,
    },
    out: { type: 'path', summary: 'where the signature goes, for finish', placeholder: 'SIG' },
  },
  outputs: { ...phaseOutputs, signature: { type: 'file', summary: 'the signature' } },
  options: ['passphrase', 'identity', 'force'],
  examples: [
    {
      command:
        'conclave threshold sign --simulate --share dev-group/dev-party-1.key --share dev-group/dev-party-3.key --message a.bin --out a.sig',
      explains: 'signs with two simulated parties of a development key',
    },
    {
      command:
        'conclave threshold sign start --key treasury --message payment.bin --quorum 1,3 --session ann --identity ann --out-dir out',
      explains: 'members 1 and 3 are to sign; the start message goes to member 3',
    },
    {
      command:
        'conclave threshold sign start --in 1f2e3d4c-start.json --expect sha256:9f86… --session cem --identity cem',
      explains: 'member 3 joins, saying what it expects to sign',
    },
    {
      command:
        'conclave threshold sign start --key treasury --message payment.bin --quorum 1,3 --prepared ann-batch --batch cem.cbor --session pay --identity ann --out-dir out',
      explains: 'one round, with nonces that members 1 and 3 prepared',
    },
    {
      command:
        'conclave threshold sign finish --session ann --in inbox --identity ann --out payment.sig',
      explains: 'any of the quorum puts the signature together',
    },
  ],
  run: async (input, context): Promise<PhaseResult> => {
    if (input.simulate === true) {
      if (input.prepared !== undefined || input.batch.length > 0) throw notSimulated();
      const { simulateSign } = await import('./threshold/simulate.js');
      return await simulateSign(input, context);
    }
    return await inPhases(input, context);
  },
});

function notSimulated(): UsageError {
  return new UsageError({
    code: 'E_SIMULATE_PREPARED',
    message: 'what is simulated makes its nonces itself',
    hint: 'leave --prepared and --batch out',
  });
}
