import { afterEach, beforeEach, expect, it } from 'vitest';
import { detectKind } from '#actions/artifacts/catalogue';
import { encodeKeyTransferBlob } from '#carriage/wrapping/azure-byok';
import { encodeTransitImport } from '#carriage/wrapping/vault-transit';
import { encodeChallenge, newChallenge } from '#custody/authority/handover-challenge';
import { seededSource } from '../formats/mutate.js';
import { type Workplace, workplace } from '../support/home.js';

let place: Workplace;
beforeEach(() => {
  place = workplace();
});
afterEach(() => {
  place.remove();
});

const challenge = encodeChallenge(
  newChallenge({
    asks: 'possession',
    key: null,
    container: { sha256: 'ab'.repeat(32), size: 9 },
    environment: 'production',
    now: new Date('2026-11-23T09:00:00Z'),
    days: 7,
    random: seededSource(1),
  }),
);
const ciphertext = new Uint8Array(40).fill(1);

it.each([
  ['azure-byok', encodeKeyTransferBlob({ kid: 'https://v/keys/k/1', ciphertext, generator: 'g' })],
  ['transit-import', encodeTransitImport({ ciphertext, hashFunction: 'SHA256', type: 'hmac' })],
  ['handover-challenge', challenge],
])('%s is known to show and verify, and says how little it proves', async (kind, bytes) => {
  const found = await detectKind(bytes, 'x');
  expect(found?.kind).toBe(kind);
  const options = { signers: [], participants: undefined, allowUnpinned: false };
  const verdict = await found?.verify(bytes, 'x', place.context(), options);
  expect(verdict).toMatchObject({ ok: true, kind });
  expect(verdict?.summary).toMatch(/not vendor-accepted|not issued here/);
  const shown = JSON.stringify(await found?.show(bytes, 'x', place.context()));
  expect(shown).toMatch(/not vendor-accepted|"id":"[0-9a-f]{64}"/);
});
