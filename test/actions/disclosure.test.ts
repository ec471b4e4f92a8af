/** What of a session anybody may have: every sample that is kept, and what says nothing of itself. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { declaredPublic, disclosureOf } from '#actions/session/disclosure';
import { utf8 } from '#formats/bytes';
import { parseDefinition } from '#script/parse';
import { entriesOf, makeSession } from '../script/session.js';
import { root } from '../support/require.js';
import { shipped } from '../script/catalogue.js';

const compat = join(root, 'test/compat');
const sample = (path: string): Uint8Array => new Uint8Array(readFileSync(join(compat, path)));

describe('what may be handed out', () => {
  it.each([
    ['v1/quickstart/transcript.json', 'public'],
    ['v1/quickstart/definition.yaml', 'public'],
    ['v1/shares-identity/set.json', 'public'],
    ['v1/ada.key.pub', 'public'],
    ['v1/plain.record.json', 'public'],
    ['v1/message.dsse.json', 'public'],
    ['v2/threshold/group.json', 'public'],
    ['v2/traces/release.request', 'public'],
    ['v2/traces/release.trace', 'trace'],
    ['v1/sealed.key', 'sealed'],
    ['v1/plain.key', 'private-key'],
    ['v2/keys/p256.jwk', 'public'],
    ['v1/shares-passphrase/share-1.cbor', 'sealed'],
    ['v1/shares-unsealed/share-1.cbor', 'unsealed-share'],
    ['v1/shares-slip39/share-1.txt', 'unsealed-share'],
    ['v2/share-card/card-1.txt', 'sealed'],
    ['v2/share-card/card-3.png', 'unknown'],
    ['v2/archives/quickstart.tar', 'public'],
    ['v2/threshold/share.key', 'sealed'],
    ['v2/threshold/private.msg', 'sealed'],
    ['v2/wrapped/key.wrapped', 'sealed'],
    ['v2/wrapped/file.age', 'unknown'],
    ['v2/wrapped/key.cms', 'unknown'],
    ['v2/keys/message.enc', 'sealed'],
    ['v1/passphrase.txt', 'unknown'],
    ['v1/message.txt', 'unknown'],
  ])('%s is %s', async (path, expected) => {
    expect(await disclosureOf(sample(path), path, false)).toBe(expected);
  });

  it('of the samples, nothing that is sealed or secret is ever public, whatever the record says', async () => {
    const names = readdirSync(compat, { recursive: true, encoding: 'utf8' });
    const keys = names.filter((name) => /\.key$|share-[0-9-]+\.(?:cbor|txt)$/.test(name));
    expect(keys.length).toBeGreaterThan(40);
    for (const name of keys) {
      const [alone, declared] = [
        await disclosureOf(sample(name), name, false),
        await disclosureOf(sample(name), name, true),
      ];
      expect([name, alone]).toEqual([
        name,
        expect.stringMatching(/^(?:sealed|private-key|unsealed-share)$/),
      ]);
      expect([name, declared]).toEqual([name, alone]);
    }
  });

  it('what nothing speaks for stays, also where it looks harmless', async () => {
    const bare = Uint8Array.from({ length: 64 }, (_, i) => (i * 37 + 11) & 0xff);
    for (const bytes of [bare, utf8('decrypted minutes of a secret meeting'), new Uint8Array(0)]) {
      expect(await disclosureOf(bytes, 'out', false)).toBe('unknown');
      expect(await disclosureOf(bytes, 'out', true)).toBe('public');
    }
  });

  it('a signature is public because the step that wrote it writes nothing else', async () => {
    const { definition, drafts } = await makeSession(shipped('quickstart.yaml'));
    const declared = [...declaredPublic(definition, entriesOf(drafts))].map((it) => it.slice(65));
    expect(declared).toEqual(['artifacts/key.pub', 'artifacts/file.sig']);
    expect(existsSync(join(compat, 'v1/quickstart'))).toBe(true);
    const kept = parseDefinition(sample('v1/quickstart/definition.yaml'), 'd').definition;
    expect(kept.id).toBe('quickstart');
  });
});
