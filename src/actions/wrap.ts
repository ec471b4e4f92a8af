/** `wrap`: a key or a file, sealed to public keys that others hold. */
import { encodeRecord, type KeyRecord } from '#custody/authority/record';
import { UsageError } from '#formats/errors';
import { defineAction } from './action.js';
import type { WrappedStatement } from '#custody/authority/handover-statement';
import { attested } from './attest/attestor.js';
import { senderOf, writeStatement } from './handover/wrapped-statement.js';
import { assertAttestable, attestContainer, containerAttestor } from './wrapping/attested.js';
import { assertCustody, heldRecord } from './wrapping/custody.js';
import { destinationFields } from './wrapping/fields.js';
import { resolveDestination } from './wrapping/target.js';
import {
  assertMayLeave,
  keyContent,
  markOf,
  presentWrapped,
  type Wrapped,
  writeWrapped,
} from './wrapping/write.js';

export const wrap = defineAction({
  id: 'wrap',
  summary: 'seal a key or a file to the public keys of others',
  description:
    'Seals a key or a file so that only the holders of the named keys open it. The default is the hybrid container: HPKE with a ' +
    'post-quantum KEM, AES-256-GCM, everything public in a header that cannot be changed; a file may be of any size. ' +
    'A recipient is a public key in any form, a key of the store, or the public file of an identity.\n' +
    'Wrapping keys come from elsewhere: compare the digest that is printed with their owner over another channel, or give it by ' +
    '--expect-to, and any other key is refused. Whatever is wrapped names no sender. Keys marked dev or rehearsal are refused ' +
    'without --allow-environment.',
  inputs: {
    key: { type: 'key', summary: 'the key to wrap' },
    in: { type: 'file', summary: 'the file to wrap', placeholder: 'FILE' },
    ...destinationFields,
    out: { type: 'path', summary: 'file to write', required: true },
    statement: {
      type: 'path',
      summary: 'write here what the identity signs about it: container, key, sender',
      placeholder: 'FILE',
    },
  },
  outputs: {
    out: { type: 'file', summary: 'what was written' },
    digest: { type: 'digest', summary: 'its SHA-256' },
    keyId: { type: 'string', summary: 'id of the wrapped key' },
    statement: { type: 'file', summary: 'what was signed about it' },
  },
  options: ['passphrase', 'identity', 'attestation', 'allow-environment', 'force'],
  effect: 'repeatable',
  secrecy: 'protects',
  examples: [
    {
      command: 'conclave wrap --key release --to ben.pub --out release.wrapped',
      explains: 'a key for the holder of an identity',
    },
    {
      command: 'conclave wrap --in backup.tar --to ann.pub --to ben.pub --out backup.tar.wrapped',
      explains: 'a file of any size for two people, either of whom opens it',
    },
    {
      command: 'conclave wrap --in notes.txt --to age1pq1… --armor --out notes.txt.age',
      explains: 'for somebody who has age and not conclave',
    },
    {
      command: 'conclave wrap --key alice --to kek.pub --format envelope --out alice.envelope',
      explains: 'under a data key of its own, which only the key-encryption key opens',
    },
  ],
  async run(
    input,
    context,
  ): Promise<Wrapped & { statement: string | null; attestation: string | null }> {
    if ((input.key === undefined) === (input.in === undefined)) {
      throw new UsageError({
        code: 'E_WRAP_SOURCE',
        message:
          input.key === undefined
            ? 'nothing to wrap was named'
            : 'both a key and a file were named',
        hint: 'give one of --key and --in',
      });
    }
    context.files.assertAbsent([input.out]);
    // In a ceremony a container never travels without its sender's word.
    const statement =
      input.statement ?? (context.inCeremony === true ? `${input.out}.dsse.json` : undefined);
    using attestor = await containerAttestor(context);
    assertAttestable(input.key === undefined ? 'file' : 'key', attestor);
    using sender = statement === undefined ? undefined : await senderOf(statement, context);
    const destination = await resolveDestination(input, context);
    const { algorithm, armor } = input;
    const options = { out: input.out, destination, epoch: 0, algorithm, armor };
    let result: Wrapped;
    let wrappedKey: WrappedStatement['key'] = null;
    let wrappedRecord: KeyRecord | undefined;
    if (input.key !== undefined) {
      // Asked before a passphrase is: what must not leave is not opened.
      assertMayLeave((await context.keys.find(input.key)).record, context);
      using key = await context.keys.open(input.key);
      const { record } = key;
      assertMayLeave(record, context);
      const environment = markOf(record.environment, context.environment);
      const held = heldRecord(record, destination.format, input.custody, context);
      const content = keyContent(key, held.record, encodeRecord(held.record));
      wrappedRecord = record;
      wrappedKey = { id: record.id, algorithm: record.algorithm, profile: record.profile };
      const { custody } = held;
      result = await writeWrapped({ ...options, content, environment, custody }, context);
    } else {
      assertCustody(destination.format, input.custody);
      using source = context.files.source(input.in as string);
      const { environment } = context;
      const content = { kind: 'file', source } as const;
      result = await writeWrapped({ ...options, content, environment }, context);
    }
    if (statement !== undefined && sender !== undefined) {
      await writeStatement(statement, result, wrappedKey, sender, context);
    }
    const { format, content, keyId, digest, to, environment } = result;
    context.record({
      type: 'wrap',
      data: {
        content,
        key: keyId,
        format,
        digest,
        to: to.map(({ sha256 }) => sha256),
        environment,
      },
    });
    const attestation =
      wrappedRecord === undefined
        ? null
        : await attestContainer(attestor, 'wrap', wrappedRecord, {
            outputs: [{ name: result.out, digest }],
          });
    return { ...result, statement: statement ?? null, attestation };
  },
  present: (result) => presentWrapped(result) + attested(result.attestation),
});
