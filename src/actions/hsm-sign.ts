import { basename } from 'node:path';
import type { Padding, SignatureEncoding, SignatureHash } from '#crypto/descriptor';
import { assertUsable } from '#custody/authority/states';
import { defineAction } from './action.js';
import { attestedFile, attestedKey, openAttestor } from './attest/attestor.js';
import { placeOf, tokenFields, tokenKeysOf, uriOf } from './hsm/place.js';

/** `conclave hsm sign`. */
export const hsmSign = defineAction({
  id: 'hsm.sign',
  summary: 'sign or authenticate a file inside a token',
  description:
    'Signs with a key of the token, or authenticates with an HMAC key of it. What the token signed is verified here before it is ' +
    'written: a token can be faulty, or another one.',
  inputs: {
    key: {
      type: 'string',
      summary: 'the key: its name, its label in the token, or a URI',
      required: true,
      placeholder: 'KEY',
    },
    in: { type: 'file', summary: 'what to sign', required: true },
    out: { type: 'path', summary: 'where the signature goes', default: '-', placeholder: 'SIG' },
    ...tokenFields,
    hash: {
      type: 'string',
      summary: "hash function; the algorithm's own when not given",
      choices: ['sha256', 'sha384', 'sha512'],
    },
    padding: { type: 'string', summary: 'padding of RSA', choices: ['pss', 'pkcs1'] },
    format: {
      type: 'string',
      summary: 'form of an ECDSA signature: two numbers side by side, or DER',
      choices: ['raw', 'der'],
    },
  },
  outputs: { signature: { type: 'file', summary: 'the signature' } },
  options: ['identity', 'attestation', 'force'],
  effect: 'repeatable',
  exits: [1, 69],
  examples: [
    {
      command:
        'conclave hsm sign --key release --module softhsm2 --token Root --pin-file pin.txt --in app.tar --out app.sig',
      explains: 'verify with conclave verify --key release --in app.tar --signature app.sig',
    },
  ],
  async run(input, context) {
    const message = context.files.read(input.in);
    context.files.assertAbsent(input.out === '-' ? [] : [input.out]);
    using attestor = await openAttestor(context);
    const keys = await tokenKeysOf(context);
    const place = placeOf(input, context);
    const found = await keys.find(uriOf(input.key, place), place);
    const { record } = found;
    const isMac = record.purposes.includes('mac');
    assertUsable(record, isMac ? 'mac' : 'sign');
    using key = await keys.open(found, place);
    const { hash, padding, format } = input;
    const options = {
      ...(hash === undefined ? {} : { hash: hash as SignatureHash }),
      ...(padding === undefined ? {} : { padding: padding as Padding }),
      ...(format === undefined ? {} : { encoding: format as SignatureEncoding }),
    };
    const bytes = isMac ? key.inToken?.mac(message) : key.signer?.sign(message, options);
    context.files.write(input.out, bytes ?? new Uint8Array(0));
    const { label: token, serial } = found.device;
    context.record({
      type: 'token.key-signed',
      data: { id: record.id, name: record.name, in: basename(input.in), token, serial },
    });
    const attestation = await attestor?.attest({
      operation: 'sign',
      key: attestedKey(record),
      device: found.device,
      inputs: [attestedFile(input.in, message)],
      outputs: [attestedFile(input.out === '-' ? 'standard output' : input.out, bytes ?? message)],
    });
    return {
      signature: input.out,
      key: found.uri,
      id: record.id,
      algorithm: record.algorithm,
      environment: record.environment,
      token,
      attestation: attestation ?? null,
    };
  },
  present: ({ signature, algorithm, environment, token }) =>
    `${environment === 'production' ? '' : `${environment.toUpperCase()} KEY: `}${algorithm} signature by the token ${token} written to ${signature}`,
});
