/** A SoftHSM of one's own for a test file: its tokens in a temporary folder, its configuration in the environment of the process. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openModule, type TokenModule } from '#carriage/stores/pkcs11/module';
import { findToken, type Token, tokensOf } from '#carriage/stores/pkcs11/token';
import { SecretBytes } from '#formats/secret-bytes';
import { needs } from '../support/require.js';
import { library } from './library.js';

export { library };

async function hasAdapter(): Promise<boolean> {
  try {
    await import('pkcs11js');
    return true;
  } catch {
    return false;
  }
}

/** Whether tests against a real token can run here. */
export const withSoftHsm =
  needs('SoftHSM', library !== undefined, 'apt-get install softhsm2') &&
  needs('pkcs11js', await hasAdapter(), 'npm run native');

/** The PINs of every token here. */
export const PIN = '4711-pin';
export const SO_PIN = 'officer-815';

/** Bytes of a PIN. */
export function pin(text: string = PIN): SecretBytes {
  return SecretBytes.adopt(new Uint8Array(Buffer.from(text)), 'test PIN');
}

/** Random bytes. */
export const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));

/** One SoftHSM. */
export interface SoftHsm extends Disposable {
  readonly folder: string;
  readonly library: string;
  readonly configuration: string;
  /** File with the user's PIN. */
  readonly pinFile: string;
  module(): Promise<TokenModule>;
  /** A new token, nobody logged in. */
  init(label: string): Promise<void>;
  /** The token, the user logged in. */
  enter(module: TokenModule, label: string): Token;
}

/** A SoftHSM with no token in it. */
export function softHsm(): SoftHsm {
  if (library === undefined) throw new Error('no SoftHSM here');
  const folder = mkdtempSync(join(tmpdir(), 'conclave-softhsm-'));
  mkdirSync(join(folder, 'tokens'));
  const configuration = join(folder, 'softhsm2.conf');
  writeFileSync(
    configuration,
    `directories.tokendir = ${folder}/tokens\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n`,
  );
  const pinFile = join(folder, 'pin.txt');
  writeFileSync(pinFile, `${PIN}\n`, { mode: 0o600 });
  const path = library;
  const module = async (): Promise<TokenModule> => {
    process.env['SOFTHSM2_CONF'] = configuration;
    return await openModule(path);
  };
  return {
    folder,
    library: path,
    configuration,
    pinFile,
    module,
    init: async (label) => {
      using opened = await module();
      const empty = tokensOf(opened).find((token) => !token.describe().initialized);
      using securityOfficer = pin(SO_PIN);
      using user = pin();
      empty?.initialize(label, { securityOfficer, user });
    },
    enter: (opened, label) => {
      const token = findToken(opened, { token: label });
      using user = pin();
      token.logIn(user);
      return token;
    },
    [Symbol.dispose]: () => {
      rmSync(folder, { recursive: true });
    },
  };
}
