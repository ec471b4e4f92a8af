/** A software token in a home: SoftHSM with a configuration of its own, initialised through the module itself, PINs in files. */
import { join } from 'node:path';
import type { Home } from '#carriage/stores/home';
import {
  findLibrary,
  SANDBOX,
  SANDBOX_CONFIGURATION,
  SANDBOX_FOLDER,
  sandboxConfiguration,
} from '#carriage/stores/pkcs11/library';
import type { TokenModule } from '#carriage/stores/pkcs11/module';
import { tokensOf } from '#carriage/stores/pkcs11/token';
import type { DurableFiles } from '#carriage/stores/store';
import { toHex, utf8 } from '#formats/bytes';
import { OutputError, UnavailableError } from '#formats/errors';
import { SecretBytes } from '#formats/secret-bytes';
import type { Sandbox } from './token-space.js';

/** What it takes. */
export interface SandboxOptions {
  readonly home: Home;
  readonly disk: DurableFiles;
  readonly random: (length: number) => Uint8Array;
  readonly openLibrary: (named: string) => Promise<TokenModule>;
}

/** Makes the token unless it is there. */
export async function makeSandbox(label: string, options: SandboxOptions): Promise<Sandbox> {
  const { home, disk } = options;
  const library = findLibrary(SANDBOX, (each) => disk.exists(each)).path;
  const folder = join(home.path, SANDBOX_FOLDER);
  const configuration = join(folder, SANDBOX_CONFIGURATION);
  const stem = join(folder, label.replace(/ /g, '_'));
  const pinFile = `${stem}.pin`;
  home.change(() => {
    disk.makeDirectory(join(folder, 'tokens'), { secret: true });
    if (!disk.exists(configuration)) {
      disk.write(configuration, utf8(sandboxConfiguration(folder)));
    }
  });
  using module = await options.openLibrary(SANDBOX);
  const all = tokensOf(module).map((token) => ({ token, said: token.describe() }));
  const there = all.find(({ said }) => said.initialized && said.label === label);
  if (there !== undefined) {
    if (!disk.exists(pinFile)) throw pinLost(label, pinFile);
    return { serial: there.said.serial, pinFile, configuration, library, made: false };
  }
  const fresh = all.find(({ said }) => !said.initialized)?.token;
  if (fresh === undefined) {
    throw new UnavailableError({
      code: 'E_TOKEN_NONE_FRESH',
      message: 'SoftHSM offers no fresh token',
      hint: `look at ${configuration}`,
    });
  }
  using user = newPin(options.random, 'user PIN');
  using securityOfficer = newPin(options.random, 'security officer PIN');
  // The files first: a token whose PIN is nowhere would be of no use.
  writePin(disk, pinFile, user);
  writePin(disk, `${stem}.so-pin`, securityOfficer);
  const { serial } = fresh.initialize(label, { securityOfficer, user }).describe();
  return { serial, pinFile, configuration, library, made: true };
}

function newPin(random: (length: number) => Uint8Array, label: string): SecretBytes {
  return SecretBytes.adopt(utf8(toHex(random(8))), label);
}

function writePin(disk: DurableFiles, path: string, pin: SecretBytes): void {
  const line = pin.use((bytes) => Uint8Array.from([...bytes, 0x0a]));
  try {
    disk.write(path, line, { secret: true, overwrite: true });
  } finally {
    line.fill(0);
  }
}

function pinLost(label: string, pinFile: string): OutputError {
  return new OutputError({
    code: 'E_TOKEN_EXISTS',
    message: `there is a token ${JSON.stringify(label)} in the sandbox, and the file with its PIN (${pinFile}) is gone`,
    hint: 'choose another label',
  });
}
