/** A folder, a home and an action context over real files, for tests of the share actions. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { buildContext } from '#actions/context/build';
import type { ActionContext, Asker, AuditEvent, Person, Waiver } from '#actions/context/context';
import { createFileSpace } from '#actions/context/file-space';
import { shareCheck } from '#actions/share-check';
import { shareCombine } from '#actions/share-combine';
import { shareEnrol } from '#actions/share-enrol';
import { shareProve } from '#actions/share-prove';
import { shareRefresh } from '#actions/share-refresh';
import { shareRepair } from '#actions/share-repair';
import { shareReshare } from '#actions/share-reshare';
import { shareSplit } from '#actions/share-split';
import { createFileStore } from '#carriage/stores/file-store';
import { openHome } from '#carriage/stores/home';
import { resolve } from '#crypto/registry';
import { selfCheck } from '#crypto/self-check';
import { newIdentity } from '#custody/authority/identity';
import { type Environment, newRecord } from '#custody/authority/record';
import { utf8 } from '#formats/bytes';
import { UsageError } from '#formats/errors';
import { SecretBytes } from '#formats/secret-bytes';
import { createHost } from '#host/node-host';

export interface DeskOptions {
  readonly waivers?: readonly Waiver[];
  readonly environment?: Environment;
  /** Tried one after another. */
  readonly passphrases?: readonly string[];
  readonly people?: readonly Person[];
  readonly identity?: string;
  readonly force?: boolean;
}

type SplitInput = Parameters<typeof shareSplit.run>[0];

export class Desk implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'conclave-sharing-'));
  readonly events: AuditEvent[] = [];
  /** What people were asked. */
  readonly asked: string[] = [];

  path(name: string): string {
    return join(this.folder, name);
  }

  write(name: string, content: Uint8Array | string): string {
    writeFileSync(this.path(name), content);
    return this.path(name);
  }

  read(name: string): Uint8Array {
    return new Uint8Array(readFileSync(this.path(name)));
  }

  files(name = '.'): string[] {
    return readdirSync(this.path(name)).sort();
  }

  context(options: DeskOptions = {}): ActionContext {
    const host = createHost();
    const home = openHome(host.files, this.path('home'));
    const files = createFileSpace({
      files: host.files,
      force: options.force === true,
      stdin: () => new Uint8Array(0),
      stdout: () => undefined,
    });
    const { passphrases = [] } = options;
    const secret = (text: string): SecretBytes => SecretBytes.adopt(utf8(text), 'passphrase');
    const nobody = (): never => {
      throw new UsageError({ code: 'E_PASSPHRASE_MISSING', message: 'nobody can be asked' });
    };
    const ask: Asker = {
      passphrase: ({ opens, attempt, person }) => {
        this.asked.push(`${opens}${person === undefined ? '' : ` by ${person.name}`}`);
        if (person !== undefined) {
          return Promise.resolve(attempt === 0 ? secret(`pass of ${person.name}`) : undefined);
        }
        if (passphrases.length === 0) nobody();
        const given = passphrases[attempt];
        return Promise.resolve(given === undefined ? undefined : secret(given));
      },
      newPassphrase: ({ seals, person }) => {
        this.asked.push(seals);
        if (person !== undefined) return Promise.resolve(secret(`pass of ${person.name}`));
        return Promise.resolve(undefined);
      },
      people: (role) => (options.people ?? []).filter((person) => person.role === role),
    };
    return buildContext({
      host,
      home,
      store: createFileStore(host.files, home),
      files,
      ask,
      identity: options.identity,
      environment: options.environment ?? 'production',
      waivers: new Set(options.waivers ?? []),
      allowedEnvironments: new Set(),
      progress: () => undefined,
      version: 'test',
      record: (event) => this.events.push(event),
      scryptLogN: 10,
    });
  }

  /** Makes a plain key file; gives its path, id and secret. */
  async key(
    algorithm = 'ed25519',
    environment: Environment = 'production',
    name = 'key.pem',
  ): Promise<{ path: string; id: string; secret: Uint8Array }> {
    const context = this.context();
    const descriptor = await resolve(algorithm);
    const implementation = await descriptor.load();
    const bytes = await implementation.generate(context.random);
    const { publicKey } = await selfCheck(descriptor, bytes, context.random);
    const record = newRecord({
      descriptor,
      publicKey,
      name: null,
      environment,
      now: context.now(),
    });
    const secret = new Uint8Array(bytes);
    using owned = SecretBytes.adopt(bytes, 'test key');
    await context.keys.add(record, owned, { out: this.path(name), plaintext: true });
    return { path: this.path(name), id: record.id, secret };
  }

  /** Makes an identity in the home. */
  async identity(name: string) {
    const context = this.context();
    using opened = await newIdentity({
      name,
      environment: 'production',
      now: context.now(),
      random: context.random,
    });
    await context.identities.add(opened, { plaintext: true });
    return opened.identity;
  }

  async split(input: Partial<SplitInput>, options: DeskOptions = {}) {
    return await shareSplit.run(
      {
        threshold: 2,
        shares: 3,
        group: [],
        format: 'envelope',
        sealTo: [],
        sealPassphraseFile: [],
        outDir: this.path('out'),
        ...input,
      },
      this.context(options),
    );
  }

  async combine(
    shares: readonly string[],
    out = 'back',
    options: DeskOptions & { set?: string } = {},
  ) {
    return await shareCombine.run(
      { shares, out: this.path(out), set: options.set },
      this.context(options),
    );
  }

  async check(shares: readonly string[], options: DeskOptions & { set?: string } = {}) {
    return await shareCheck.run({ shares, set: options.set }, this.context(options));
  }

  async prove(set: string, shares: readonly string[], options: DeskOptions = {}) {
    return await shareProve.run(
      { set, shares, custodians: options.people?.[0]?.role },
      this.context(options),
    );
  }

  async refresh(
    shares: readonly string[],
    input: Partial<Parameters<typeof shareRefresh.run>[0]> = {},
    options: DeskOptions = {},
  ) {
    return await shareRefresh.run(
      { shares, sealTo: [], sealPassphraseFile: [], outDir: this.path('new'), ...input },
      this.context(options),
    );
  }

  async reshare(
    from: readonly string[],
    input: Partial<Parameters<typeof shareReshare.run>[0]>,
    options: DeskOptions = {},
  ) {
    return await shareReshare.run(
      {
        from,
        threshold: 2,
        group: [],
        sealTo: [],
        sealPassphraseFile: [],
        outDir: this.path('new'),
        ...input,
      },
      this.context(options),
    );
  }

  async enrol(
    shares: readonly string[],
    input: Partial<Parameters<typeof shareEnrol.run>[0]> = {},
    options: DeskOptions = {},
  ) {
    return await shareEnrol.run(
      { shares, sealTo: [], sealPassphraseFile: [], outDir: this.path('new'), ...input },
      this.context(options),
    );
  }

  async repair(
    shares: readonly string[],
    lost: string,
    input: Partial<Parameters<typeof shareRepair.run>[0]> = {},
    options: DeskOptions = {},
  ) {
    return await shareRepair.run(
      { shares, lost, sealTo: [], sealPassphraseFile: [], outDir: this.path('new'), ...input },
      this.context(options),
    );
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** An error of this exit code and code, with this text in its message. */
export function refusal(exitCode: number, code: string, text?: string): Error {
  return expect.objectContaining({
    exitCode,
    code,
    ...(text === undefined ? {} : { message: expect.stringContaining(text) as string }),
  }) as Error;
}
