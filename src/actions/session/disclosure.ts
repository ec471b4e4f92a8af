/**
 * What of a session anybody may have. A file is handed out only where something says that it is public: its own form, or the
 * record, when the step that wrote it writes nothing else. What cannot be told is kept back.
 */
import { InternalError } from '#formats/errors';
import type { Definition } from '#script/definition';
import type { Entry } from '#script/entries';
import type { Withheld } from '#script/session-archive';
import { exposureOf } from '../qr/exposure.js';

/** Outputs that are public and may say nothing of themselves: bare signatures, and public keys as bare bytes. */
const PUBLIC_OUTPUTS: Readonly<Record<string, string>> = {
  sign: 'signature',
  'hsm.sign': 'signature',
  'threshold.combine': 'signature',
  'trace.prove': 'signature',
  'key.generate': 'public',
  'key.public': 'public',
};

/** Kinds that are nobody's secret and are nevertheless kept among those who audit, while the key lives. */
const CONFIDENTIAL_KINDS: ReadonlySet<string> = new Set(['trace']);

/** Folder of all artifacts, before the paths that steps use. */
const ARTIFACTS = 'artifacts/';

/** Digests and paths (`DIGEST PATH`) of what the record says is public by the step that wrote it. */
export function declaredPublic(
  definition: Definition,
  entries: readonly Entry[],
): ReadonlySet<string> {
  const uses = new Map(
    definition.acts.flatMap(({ id, steps }) =>
      steps.flatMap((step) =>
        step.kind === 'action' ? [[`${id}/${step.id}`, step.uses] as const] : [],
      ),
    ),
  );
  const declared = new Set<string>();
  for (const { type, data } of entries) {
    if (type !== 'step.finished') continue;
    const output = PUBLIC_OUTPUTS[uses.get(`${data.act}/${data.step}`) ?? ''];
    const written = output === undefined ? undefined : data.outputs[output];
    for (const it of data.artifacts)
      if (typeof written === 'string' && it.path === ARTIFACTS + written)
        declared.add(`${it.sha256} ${it.path}`);
  }
  return declared;
}

/**
 * Whether an artifact may be handed to anybody, or why not.
 * @param declared - whether the record says that it is public
 */
export async function disclosureOf(
  bytes: Uint8Array,
  name: string,
  declared: boolean,
): Promise<'public' | Withheld> {
  const { kind, exposure } = await exposureOf(bytes, name);
  if (CONFIDENTIAL_KINDS.has(kind)) return 'trace';
  switch (exposure) {
    case 'public':
      // Of what conclave does not recognise nothing speaks but the record: a printed card is such a file.
      return kind !== 'file' || declared ? 'public' : 'unknown';
    case 'unknown':
      return declared ? 'public' : 'unknown';
    case 'sealed':
    case 'unsealed-share':
    case 'private-key':
      return exposure;
    default:
      exposure satisfies never;
      throw new InternalError({
        code: 'E_EXPOSURE_UNKNOWN',
        message: `${name} is judged as ${String(exposure)}, which nothing here knows`,
      });
  }
}
