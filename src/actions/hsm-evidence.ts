/** `hsm evidence`: a certificate that a device made for a key, checked against a root that the operator trusts. */
import { type Certificate, findPath, parseCertificates } from '#crypto/x509';
import { type DeviceCertificateClaims, deviceClaims } from '#custody/audit/device-certificate';
import { equal } from '#formats/bytes';
import { InputError, UsageError } from '#formats/errors';
import { defineAction } from './action.js';
import type { Claim } from './artifacts/artifact.js';
import type { ActionContext } from './context/context.js';

const MAX_CERTIFICATE_BYTES = 1024 * 1024;

/** The answer. */
export interface EvidenceVerdict {
  readonly ok: boolean;
  readonly certificate: string;
  readonly subject: string;
  readonly device: DeviceCertificateClaims | null;
  readonly claims: readonly Claim[];
}

/** The action `hsm evidence`. */
export const hsmEvidence = defineAction({
  id: 'hsm.evidence',
  summary: "check a device's own certificate for a key against its maker's root",
  description:
    'Some devices sign a certificate for a key that they hold. It is followed to the root that --root names, which is yours to get ' +
    'and to trust; none is built in. With --key the certificate must be for that public key. What a YubiHSM 2 says in it, whether ' +
    'the key was generated inside and whether it can leave, is told. Other evidence is attached to attestations by its digest ' +
    'and not judged.',
  inputs: {
    certificate: {
      type: 'file',
      summary: 'the certificate that the device signed, PEM or DER',
      required: true,
      positional: 0,
      placeholder: 'FILE',
    },
    root: {
      type: 'file',
      summary: 'a root that you trust',
      required: true,
      repeat: true,
      placeholder: 'FILE',
    },
    intermediate: {
      type: 'file',
      summary: 'certificates between the two',
      repeat: true,
      placeholder: 'FILE',
    },
    key: { type: 'public-key', summary: 'the key that it must be for', placeholder: 'PUB' },
    at: {
      type: 'string',
      summary: 'time at which the certificates must be valid; now without',
      pattern: '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ',
      placeholder: 'TIME',
    },
  },
  outputs: { verdict: { type: 'verdict', summary: 'whether the evidence holds' } },
  effect: 'none',
  examples: [
    {
      command:
        'conclave hsm evidence key-7.pem --root yubico-root.pem --intermediate yubico-attest.pem --key release.pub',
      explains: 'was this public key made inside a genuine device',
    },
  ],
  async run({ certificate: file, root, intermediate, key, at }, context): Promise<EvidenceVerdict> {
    const read = (path: string): readonly Certificate[] =>
      parseCertificates(context.files.read(path, MAX_CERTIFICATE_BYTES), path);
    const [certificate, ...others] = read(file);
    if (certificate === undefined) {
      throw new InputError({ code: 'E_CERTIFICATE_MALFORMED', message: `${file} is empty` });
    }
    const when = at === undefined ? context.now() : timeOf(at);
    const path = findPath(
      certificate,
      [...others, ...intermediate.flatMap(read)],
      root.flatMap(read),
      when,
    );
    const device = deviceClaims(certificate.extensions, file) ?? null;
    const claims: readonly Claim[] = [
      {
        claim: 'the certificate leads to a root that you named',
        grade: 'checked',
        ok: path.ok,
        detail: path.ok ? path.path.map(({ subject }) => subject).join(' < ') : path.reason,
      },
      ...(key === undefined ? [] : [await keyClaim(key, certificate, context)]),
      ...saidBy(device, path.ok),
    ];
    return {
      ok: claims.every(({ ok }) => ok),
      certificate: file,
      subject: certificate.subject,
      device,
      claims,
    };
  },
  present: ({ ok, certificate, claims }) =>
    [
      `${ok ? 'OK' : 'NOT OK'}: ${certificate}`,
      ...claims.map(
        (claim) =>
          `  ${claim.ok ? 'yes' : 'NO '}  ${claim.grade.padEnd(8)}  ${claim.claim}: ${claim.detail}`,
      ),
    ].join('\n'),
});

async function keyClaim(
  key: string,
  certificate: Certificate,
  context: ActionContext,
): Promise<Claim> {
  const [{ resolvePublicKey }, { encodeSpki }] = await Promise.all([
    import('./context/public-keys.js'),
    import('#crypto/encodings/spki'),
  ]);
  const { descriptor, bytes } = await resolvePublicKey(key, 'signature', context);
  const same = equal(encodeSpki(descriptor, bytes), certificate.spki);
  return {
    claim: `it is for the key ${key}`,
    grade: 'checked',
    ok: same,
    detail: same ? descriptor.name : 'the certificate is for another key',
  };
}

/** The device's word: attested once its certificate leads to a trusted root, hearsay otherwise. */
function saidBy(device: DeviceCertificateClaims | null, trusted: boolean): readonly Claim[] {
  const grade = trusted ? 'attested' : 'recorded';
  if (device === null) {
    return [
      {
        claim: 'what the device says of the key',
        grade: 'recorded',
        ok: true,
        detail: 'nothing that is understood here; only the path was checked',
      },
    ];
  }
  const { firmware, serial, origin, exportable } = device;
  const say = (claim: string, detail: string): Claim => ({ claim, grade, ok: true, detail });
  return [
    say('the device', `serial ${serial ?? 'not told'}, firmware ${firmware ?? 'not told'}`),
    say('where the key came from', origin ?? 'not told'),
    say(
      'whether it can leave the device',
      exportable === null ? 'not told' : exportable ? 'yes, wrapped' : 'no',
    ),
  ];
}

function timeOf(text: string): Date {
  const time = new Date(text);
  if (!Number.isNaN(time.getTime())) return time;
  throw new UsageError({
    code: 'E_TIME',
    message: `${JSON.stringify(text)} is no time`,
    hint: 'for instance 2026-11-23T09:30:00Z',
  });
}
