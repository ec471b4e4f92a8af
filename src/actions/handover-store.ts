/** `handover store`: keeping what one cannot open. */
import { containerOf } from '#custody/authority/handover-challenge';
import { KEY_WRAPPED, readHandover } from '#custody/authority/handover-statement';
import { sourceOf, takeAll } from '#formats/byte-stream';
import { InputError, NegativeError, RefusedError } from '#formats/errors';
import { defineAction } from './action.js';
import { detectKind } from './artifacts/catalogue.js';
import { assertSigned } from './handover/signed.js';
import { onceOf } from './handover/state.js';
import { senderField } from './wrapping/fields.js';

/** Longest container that is kept. */
export const MAX_STORED_BYTES = 64 * 1024 * 1024;

const MAX_STATEMENT_BYTES = 1024 * 1024;

/** How private keys in clear begin. */
const CLEAR = [
  ...['PRIVATE KEY', 'RSA PRIVATE KEY', 'EC PRIVATE KEY', 'OPENSSH PRIVATE KEY'],
  ...['CONCLAVE RAW PRIVATE KEY', 'CONCLAVE IDENTITY SEEDS'],
].map((label) => `-----BEGIN ${label}-----`);

/** `conclave handover store`. */
export const handoverStore = defineAction({
  id: 'handover.store',
  summary: 'keep a container that somebody handed over',
  description:
    'Keeps a wrapped key as it is, in this home, under its digest: nothing here can open it. With --statement the sender is ' +
    'checked and named. Anything that is a key in clear is refused. Prove later that it is still there with handover receipt.',
  inputs: {
    in: { type: 'file', summary: 'the container', required: true, positional: 0 },
    statement: { type: 'file', summary: 'what the sender signed about it' },
    signer: senderField,
  },
  outputs: { container: { type: 'digest', summary: 'under which it is kept' } },
  options: [],
  effect: 'repeatable',
  examples: [
    {
      command: 'conclave handover store release.wrapped',
      explains: 'kept under its digest, which is printed',
    },
    {
      command:
        'conclave handover store release.wrapped --statement release.wrapped.dsse.json --signer ada.pub',
      explains: 'only if Ada says that it is hers',
    },
  ],
  async run(input, context) {
    const name = input.in === '-' ? 'standard input' : input.in;
    using source = context.files.source(input.in);
    const bytes = takeAll(source, MAX_STORED_BYTES);
    if (bytes === undefined || bytes.length === 0) {
      throw new InputError({
        code: 'E_HANDOVER_SIZE',
        message: `${name} ${bytes === undefined ? `is longer than ${MAX_STORED_BYTES} bytes` : 'is empty'}`,
        hint: 'a container of a key has a few kilobytes; keep larger ones as files, and prove those with handover receipt --in FILE',
      });
    }
    await assertOpaque(bytes, name);
    const digest = containerOf(sourceOf(bytes));
    let sender: string | null = null;
    if (input.statement !== undefined) {
      const read = readHandover(
        KEY_WRAPPED,
        context.files.read(input.statement, MAX_STATEMENT_BYTES),
        input.statement,
      );
      if (read.said.container.sha256 !== digest.sha256) {
        throw new NegativeError({
          code: 'E_HANDOVER_STATEMENT',
          message: `${input.statement} speaks of another container than ${name}`,
          hint: 'ask the sender for the right one',
        });
      }
      const { sender: from } = read.said;
      ({ name: sender } = await assertSigned(
        read,
        from.id,
        input.signer,
        input.statement,
        context,
      ));
    }
    const once = onceOf(context);
    const at = `containers/${digest.sha256}`;
    const again = once.read(at, MAX_STORED_BYTES) !== undefined;
    if (!again) once.write(at, bytes);
    context.record({
      type: 'handover.stored',
      data: { container: digest.sha256, size: digest.size, sender, again },
    });
    return { container: `sha256:${digest.sha256}`, size: digest.size, sender, again };
  },
  present: ({ container, size, sender, again }) =>
    `${container} ${again ? 'was here already' : 'is kept'} (${size} bytes${sender === null ? '' : `, from ${sender}`})`,
});

/** A custodian without sight keeps nothing that could be read. */
async function assertOpaque(bytes: Uint8Array, name: string): Promise<void> {
  const kind = await detectKind(bytes, name);
  // Anywhere in it, as a member of something else too: not only where a reader would look.
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isClear = CLEAR.some((begin) => text.includes(begin));
  if (!isClear && kind?.kind !== 'share' && kind?.kind !== 'key-record') return;
  throw new RefusedError({
    code: 'E_HANDOVER_CLEAR',
    message: isClear
      ? `${name} is a private key in clear`
      : `${name} is no container but a ${kind?.kind ?? ''}`,
    hint: 'wrap it first: conclave wrap',
  });
}
