/** `rewrap`: the content of a container, sealed again to other keys or by other algorithms, in memory only. */
import type { Content } from '#carriage/wrapping/format';
import { encodeRecord } from '#custody/authority/record';
import { defineAction } from './action.js';
import { attested } from './attest/attestor.js';
import { assertAttestable, attestContainer, containerAttestor } from './wrapping/attested.js';
import { assertCustody, type Held, heldRecord } from './wrapping/custody.js';
import { contentField, destinationFields } from './wrapping/fields.js';
import { withOpened } from './wrapping/open.js';
import { resolveDestination } from './wrapping/target.js';
import {
  assertMarkAllowed,
  assertMayLeave,
  keyContent,
  presentWrapped,
  type Wrapped,
  writeWrapped,
} from './wrapping/write.js';

/** What was wrapped again. */
export interface Rewrapped extends Wrapped {
  /** `sha256:HEX` of the container that was opened. */
  readonly from: string;
  /** Where the attestation lies; null when none was asked for. */
  readonly attestation: string | null;
}

export const rewrap = defineAction({
  id: 'rewrap',
  summary: 'seal what was wrapped again, to other keys',
  description:
    'Opens a container and seals its content to new recipients, without writing the content anywhere in between: to replace an ' +
    'algorithm, to replace a recipient, or to add one. The new container counts one epoch more. The old one still opens for ' +
    'whoever has it and its key: destroy both when they have served.',
  inputs: {
    in: { type: 'file', summary: 'the container', required: true },
    key: { type: 'key', summary: 'the private key that opens it' },
    ...destinationFields,
    as: contentField,
    out: { type: 'path', summary: 'file to write', required: true },
  },
  outputs: {
    out: { type: 'file', summary: 'what was written' },
    digest: { type: 'digest', summary: 'its SHA-256' },
    keyId: { type: 'string', summary: 'id of the wrapped key' },
  },
  options: ['passphrase', 'identity', 'attestation', 'allow-environment', 'force'],
  effect: 'repeatable',
  secrecy: 'protects',
  examples: [
    {
      command:
        'conclave rewrap --in backup.wrapped --key transport-2026 --to transport-2027.pub --out backup-2027.wrapped',
      explains: 'move a container to the next transport key',
    },
  ],
  async run(input, context): Promise<Rewrapped> {
    context.files.assertAbsent([input.out]);
    const destination = await resolveDestination(input, context);
    using attestor = await containerAttestor(context);
    return await withOpened(input, context, async (opened) => {
      assertAttestable(opened.kind, attestor);
      const { environment, epoch } = opened;
      assertMarkAllowed(environment, context, input.in);
      if (opened.kind === 'key') assertMayLeave(opened.record, context);
      const { format } = destination;
      let content: Content;
      let custody: Held['custody'];
      if (opened.kind === 'key') {
        const held = heldRecord(opened.record, format, input.custody, context);
        content = keyContent(opened, held.record, encodeRecord(held.record));
        custody = held.custody;
      } else {
        assertCustody(format, input.custody);
        content = { kind: 'file', source: opened.source };
      }
      const result = await writeWrapped(
        {
          out: input.out,
          destination,
          content,
          environment,
          epoch: epoch + 1,
          algorithm: input.algorithm,
          armor: input.armor,
          custody,
        },
        context,
      );
      const from = opened.digest();
      const { keyId, digest, to } = result;
      context.record({
        type: 'rewrap',
        data: {
          content: content.kind,
          key: keyId,
          from,
          format: result.format,
          digest,
          to: to.map(({ sha256 }) => sha256),
          epoch: result.epoch,
          environment,
        },
      });
      const attestation =
        opened.kind === 'key'
          ? await attestContainer(attestor, 'wrap', opened.record, {
              inputs: [{ name: input.in, digest: from }],
              outputs: [{ name: result.out, digest }],
            })
          : null;
      return { ...result, from, attestation };
    });
  },
  present: (result) => presentWrapped(result, 'wrapped again') + attested(result.attestation),
});
