/**
 * The hybrid signature of Ed25519 and ML-DSA-65, in two profiles that are never mixed: the IETF composite, and the pair of the
 * Ratify protocol. Both halves must always verify.
 */
import type { Descriptor } from '../descriptor.js';
import { sha512 } from '../hash.js';
import {
  compositeProfile,
  hybridSizes,
  loadHybrid,
  type Profile,
  rearrangeSeeds,
} from '../hybrid-signature.js';
import { descriptors as ed25519Descriptors } from './ed25519.js';
import { descriptors as mlDsaDescriptors } from './ml-dsa.js';

const [ed25519] = ed25519Descriptors;
const [, mlDsa65] = mlDsaDescriptors;
const halves = { ed: ed25519, pq: mlDsa65 };

const common = {
  name: 'ed25519+ml-dsa-65',
  kind: 'signature',
  sizes: hybridSizes(halves),
  category: 3,
  bits: 128,
  purposes: ['sign'],
} as const;

const composite: Descriptor = {
  ...common,
  profile: 'composite',
  status: 'draft',
  signing: { context: true, randomness: 'optional' },
  spec: 'draft-ietf-lamps-pq-composite-sigs §3, id-MLDSA65-Ed25519-SHA512',
  oid: '1.3.6.1.5.5.7.6.48',
  pkcs8: 'bare',
  rearrange: rearrangeSeeds(halves),
  load: () =>
    loadHybrid(composite, halves, compositeProfile('COMPSIG-MLDSA65-Ed25519-SHA512', sha512)),
};

const ratify: Descriptor = {
  ...common,
  profile: 'ratify-v1',
  status: 'standard',
  signing: { randomness: 'optional' },
  spec: 'Ratify protocol v1 §5 and §6',
  load: () => loadHybrid(ratify, halves, ratifyProfile),
};

/** Both halves sign the message itself. */
const ratifyProfile: Profile = {
  first: 'eddsa',
  represent: (message) => message,
  mlDsaContext: new Uint8Array(0),
};

/** The hybrid in its two profiles; the first is the default. */
export const descriptors = [composite, ratify] as const;
