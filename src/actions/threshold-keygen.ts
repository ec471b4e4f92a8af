/** `threshold keygen`: a key that nobody ever holds, made by those who will sign with it. */
import { defineAction } from './action.js';
import { phased } from './threshold/begin.js';
import { phaseFacts, phaseFields, type PhaseResult } from './threshold/phases.js';
import { proposeKeygen } from './threshold/propose.js';
import { nameField, partyField, proveOpeningsField, suiteChoices } from './threshold/fields.js';

const inPhases = phased('keygen', proposeKeygen);

export const thresholdKeygen = defineAction({
  ...phaseFacts,
  id: 'threshold.keygen',
  summary: 'make a key together that no single party ever holds',
  description:
    'Distributed key generation by FROST (RFC 9591): every party deals a random polynomial, proves to know its constant, and adds ' +
    'up what the others dealt. Each party runs its own program on its own machine. One starts and gives the start message to the ' +
    'others; everybody accepts it with start --in and runs round until all is here, giving what is written to the others by file ' +
    'or QR; finish keeps the share and destroys the keys of the session. Whoever sends something wrong is named. The group record ' +
    'and the transcript, which everybody acknowledged, are public.',
  inputs: {
    ...phaseFields,
    suite: {
      type: 'string',
      summary: 'curve of the key, for whoever starts',
      choices: suiteChoices,
      default: suiteChoices[0] as string,
    },
    threshold: {
      type: 'integer',
      summary: 'how many of the parties sign together',
      min: 2,
      max: 255,
      placeholder: 'T',
    },
    party: partyField(
      'public identity file of a party, in the order of their numbers; oneself among them',
    ),
    policy: { type: 'file', summary: 'policy to bind to the key', placeholder: 'FILE' },
    simulate: {
      type: 'boolean',
      summary: 'make the key in this process alone, for rehearsals and development',
      only: 'cli',
    },
    shares: {
      type: 'integer',
      summary: 'how many parties are simulated',
      min: 2,
      max: 255,
      placeholder: 'N',
    },
    dev: { type: 'boolean', summary: 'mark the key as a development key' },
    proveOpenings: proveOpeningsField,
    name: nameField,
  },
  options: ['passphrase', 'new-passphrase', 'identity', 'force'],
  secrecy: 'creates',
  examples: [
    {
      command: 'conclave threshold keygen --simulate --threshold 2 --shares 3 --out-dir dev-group',
      explains: 'a development key: dev-group/dev-party-1.key to dev-party-3.key and group.json',
    },
    {
      command:
        'conclave threshold keygen start --threshold 2 --party ann.pub --party ben.pub --party cem.pub --session ann --identity ann --out-dir out',
      explains: 'Ann proposes a key of which any two of three sign',
    },
    {
      command:
        'conclave threshold keygen start --prove-openings --threshold 2 --party ann.pub --party ben.pub --party cem.pub --session ann --identity ann --out-dir out',
      explains: 'the same for a key that will sign in a cage: commitments come with proofs',
    },
    {
      command:
        'conclave threshold keygen start --in 1f2e3d4c-start.json --session ben --identity ben',
      explains: 'Ben accepts',
    },
    {
      command:
        'conclave threshold keygen round --session ben --in inbox --identity ben --out-dir out',
      explains: 'takes what has arrived, writes what is next, says who is missing',
    },
    {
      command: 'conclave threshold keygen finish --session ben --identity ben --name treasury',
      explains: 'keeps Ben’s share and destroys the keys of the session',
    },
  ],
  run: async (input, context): Promise<PhaseResult> => {
    if (input.simulate === true) {
      const { simulateKeygen } = await import('./threshold/simulate.js');
      return await simulateKeygen(input, context);
    }
    return await inPhases(input, context);
  },
});
