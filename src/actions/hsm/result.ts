/** What `hsm` commands answer about a key that they put into a token, and how they say it. */
import { attestedKey, type Attestor } from '../attest/attestor.js';
import type { ActionContext } from '../context/context.js';
import type { Placed } from '../context/token-keys.js';
import { originText } from '../hsm-info.js';

/** The answer. */
export interface PlacedResult {
  /** PKCS#11 URI. */
  readonly key: string;
  readonly id: string;
  readonly name: string | null;
  readonly algorithm: string;
  readonly environment: string;
  readonly token: string;
  readonly serial: string;
  /** How it got into the token. */
  readonly crossing: string;
  readonly clear: boolean;
  readonly check: string | null;
  readonly attributes: Placed['key']['device']['attributes'];
  readonly attestation: string | null;
}

/** Records, attests and tells a key that is in a token now. */
export async function settled(
  { key, check, clear }: Placed,
  deed: 'generate' | 'import',
  context: ActionContext,
  attestor: Attestor | undefined,
): Promise<PlacedResult> {
  const { record, device, uri, crossing } = key;
  const { id, name, algorithm, profile, environment } = record;
  const { label: token, serial, model, firmware, attributes } = device;
  context.record({
    type: deed === 'generate' ? 'token.key-generated' : 'token.key-imported',
    data: {
      ...{ id, name, algorithm, profile, environment, token, serial, model, firmware, crossing },
      attributes: { ...attributes },
    },
  });
  const attestation = await attestor?.attest({
    operation: deed,
    key: attestedKey(record),
    device,
    note: crossing,
  });
  return {
    key: uri,
    id: `sha256:${id}`,
    ...{ name, algorithm, environment, token, serial, crossing, clear },
    check: check ?? null,
    attributes,
    attestation: attestation ?? null,
  };
}

/** Lines for a person. */
export function presentPlaced(result: PlacedResult): string {
  return [
    ...(result.environment === 'production'
      ? []
      : [`${result.environment.toUpperCase()} KEY - NOT FOR PRODUCTION`]),
    `key        ${result.key}`,
    `algorithm  ${result.algorithm}`,
    `id         ${result.id.replace(/^sha256:/, '')}`,
    ...(result.crossing === '' ? [] : [`crossed    ${result.crossing}`]),
    `origin     ${originText(result.attributes)} (the token says so)`,
    `checked    ${result.check ?? 'nothing: such a key cannot be asked for anything through PKCS#11 here'}`,
    ...(result.attestation === null ? [] : [`attested   ${result.attestation}`]),
  ].join('\n');
}
