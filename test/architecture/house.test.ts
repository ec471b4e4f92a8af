/** Rules of the house that a reader would otherwise have to remember: names, sizes, examples, tests, words. */
import { describe, expect, it } from 'vitest';
import type { ActionDescription } from '#formats/action';
import { literalsOf } from './scan.js';
import { filesBelow, houseSources, textOf } from './sources.js';

const sources = houseSources();

/** Every name that the registry has or will have. */
const algorithmNames = new Set([
  ...['44', '65', '87'].map((size) => `ml-dsa-${size}`),
  ...['512', '768', '1024'].map((size) => `ml-kem-${size}`),
  ...['sha2', 'shake'].flatMap((hash) =>
    ['128', '192', '256'].flatMap((size) => ['s', 'f'].map((v) => `slh-dsa-${hash}-${size}${v}`)),
  ),
  ...['falcon-512', 'falcon-1024', 'ed25519+ml-dsa-65', 'ed448+ml-dsa-87', 'x-wing'],
  ...['ml-kem-1024+p384', 'ed25519', 'ed448', 'p256', 'p384', 'p521', 'secp256k1', 'bls12-381'],
  ...['sm2', 'rsa-2048', 'rsa-3072', 'rsa-4096', 'x25519', 'x448', 'aes-128', 'aes-256'],
  ...['hmac-sha256', 'hmac-sha384', 'hmac-sha512'],
  ...['bip340', 'schnorr-p256', 'schnorr-secp256k1', 'schnorr-ristretto255'],
]);

/** Where a name may stand outside `crypto/algorithms`, and why. */
const nameAllowances: Readonly<Record<string, { readonly names: string; readonly why: string }>> = {
  'src/crypto/registry.ts': { names: '*', why: 'the one table from name to file' },
  'src/crypto/frost/suite.ts': {
    names: 'ed25519 ed448 bip340 schnorr-p256 schnorr-secp256k1 schnorr-ristretto255 bls12-381',
    why: 'whose signatures each suite makes',
  },
  'src/actions/key-generate.ts': { names: 'ed25519+ml-dsa-65', why: 'the default' },
  'src/actions/context/private-forms.ts': {
    names: 'ed25519+ml-dsa-65',
    why: 'Ratify JSON is a form of this algorithm and no other',
  },
  'src/actions/context/public-keys.ts': {
    names: 'ed25519 ed25519+ml-dsa-65 x-wing',
    why: 'the keys that an identity or a Ratify file holds',
  },
  'src/custody/audit/component-keys.ts': {
    names: 'ed25519 ml-dsa-65 x-wing',
    why: 'the three keys of an identity, fixed by its format',
  },
  'src/custody/authority/identity.ts': { names: 'ed25519', why: 'as above' },
  'src/custody/authority/session-keys.ts': {
    names: 'ed25519',
    why: 'the key of a session, fixed by its certificate',
  },
  'src/custody/authority/ratify-rotation.ts': {
    names: 'ed25519 ed25519+ml-dsa-65 ml-dsa-65',
    why: 'the Ratify protocol knows these and no others',
  },
  'src/crypto/points.ts': {
    names: 'secp256k1 p256 ed25519 bls12-381',
    why: 'the curves whose points block chains look into',
  },
  'src/custody/chains/bitcoin.ts': {
    names: 'secp256k1 bip340',
    why: 'what the chain itself fixes',
  },
  'src/custody/chains/ethereum.ts': { names: 'secp256k1', why: 'as above' },
  'src/custody/chains/solana.ts': { names: 'ed25519', why: 'as above' },
  'src/custody/chains/tezos.ts': {
    names: 'ed25519 secp256k1 p256 bls12-381',
    why: 'as above',
  },
  'src/protocols/parties/message.ts': {
    names: 'ed25519 x-wing',
    why: 'what a round message is signed and sealed with, fixed by its format',
  },
  'src/protocols/parties/session-keys.ts': { names: 'ed25519 x-wing', why: 'as above' },
  'src/carriage/wrapping/providers/answer.ts': {
    names: 'secp256k1',
    why: "the curve's name in a JWK, where Azure has another",
  },
  'src/carriage/wrapping/gcp-kms.ts': {
    names: 'hmac-sha256 hmac-sha384 hmac-sha512',
    why: "Google's own names of algorithms, spelled like ours",
  },
  'src/carriage/wrapping/vault-transit.ts': {
    names: 'ed25519 rsa-2048 rsa-3072 rsa-4096',
    why: "transit's own names of types, spelled like ours",
  },
};

/** Files that may be longer than 450 lines, and why. */
const lengthAllowances: Readonly<Record<string, string>> = {};

/** Files of `src/actions/` that are not actions. */
const notActions = ['src/actions/action.ts'];
const actionFiles = [...sources.keys()].filter(
  (path) => /^src\/actions\/[^/]+\.ts$/.test(path) && !notActions.includes(path),
);
const commandFiles = [...sources.keys()].filter((path) =>
  /^src\/ceremony\/commands\/[^/]+\.ts$/.test(path),
);

function isDescription(value: unknown): value is ActionDescription {
  return typeof value === 'object' && value !== null && 'id' in value && 'examples' in value;
}

async function describedBy(file: string): Promise<ActionDescription> {
  const module = (await import(`../../${file}`)) as Record<string, unknown>;
  const described = Object.values(module).filter(isDescription);
  expect(described, `${file} exports one description`).toHaveLength(1);
  return described[0] as ActionDescription;
}

describe('names of algorithms', () => {
  it('stand only where an algorithm is defined, and where allowed by name', () => {
    const used = new Set<string>();
    const found: string[] = [];
    for (const [file, text] of sources) {
      if (file.startsWith('src/crypto/algorithms/')) continue;
      for (const { value, line } of literalsOf(file, text)) {
        if (!algorithmNames.has(value)) continue;
        const allowed = nameAllowances[file]?.names.split(' ') ?? [];
        if (allowed.includes('*') || allowed.includes(value)) {
          used.add(file);
          used.add(`${file} ${value}`);
        } else {
          found.push(`${file}:${line} '${value}'`);
        }
      }
    }
    expect(found).toEqual([]);
    const unused = Object.entries(nameAllowances).flatMap(([file, { names }]) =>
      names
        .split(' ')
        .filter((name) => !used.has(name === '*' ? file : `${file} ${name}`))
        .map((name) => `${file} ${name}`),
    );
    expect(unused, 'allowances that nothing needs').toEqual([]);
  });

  it('cover what the registry knows', async () => {
    const { algorithmNames: registered } = await import('#crypto/registry');
    expect(registered().filter((name) => !algorithmNames.has(name))).toEqual([]);
  });
});

describe('sizes', () => {
  it('no source is longer than 450 lines without a reason', () => {
    const long = [...sources]
      .map(([file, text]) => ({ file, lines: text.split('\n').length - 1 }))
      .filter(({ file, lines }) => lines > 450 && !(file in lengthAllowances));
    expect(long).toEqual([]);
  });
});

describe('actions and commands', () => {
  it.each([...actionFiles, ...commandFiles])('%s describes itself fully', async (file) => {
    const action = await describedBy(file);
    const stem = file.slice(file.lastIndexOf('/') + 1, -3);
    expect(action.id.replaceAll('.', '-')).toBe(stem);
    expect(action.summary).toMatch(/^[^A-Z].*[^.]$/);
    expect(action.description.length).toBeGreaterThan(20);
    if (action.only !== 'ceremony') {
      expect(action.examples.length).toBeGreaterThan(0);
      for (const { command, explains } of action.examples) {
        expect(command).toContain(`conclave ${action.id.replaceAll('.', ' ')}`);
        expect(explains).not.toBe('');
      }
    }
    for (const [name, field] of [
      ...Object.entries(action.inputs),
      ...Object.entries(action.outputs),
    ]) {
      expect(field.summary, `${name} of ${action.id}`).toMatch(/^[^.].*[^.]$/);
    }
  });

  it('each is spoken of by a test', () => {
    const tests = filesBelow('test')
      .filter((path) => /\.(?:ts|mjs|txtar)$/.test(path) && !path.startsWith('test/architecture'))
      .map(textOf)
      .join('\n');
    const silent = [...actionFiles, ...commandFiles]
      .map((file) => file.slice(file.lastIndexOf('/') + 1, -3))
      .filter((stem) => {
        const words = stem.split('-');
        const dotted = `${words[0] ?? ''}.${words.slice(1).join('-')}`;
        return ![`/${stem}`, words.join(' '), `'${words.join("', '")}'`, dotted].some((form) =>
          tests.includes(form),
        );
      });
    expect(silent).toEqual([]);
  });
});

describe('tests', () => {
  it('take properties from where their seed is set', () => {
    const direct = filesBelow('test').filter((path) => /from 'fast-check'/.test(textOf(path)));
    expect(direct.filter((path) => !path.startsWith('test/architecture'))).toEqual([
      'test/support/property.ts',
    ]);
  });
});

describe('words', () => {
  /** Put together here, so that this file does not contain what it looks for. */
  const forbidden = [
    ['/', 'work', '(?![a-z-])'],
    ['/', 'root', '/[a-z.]'],
    ['bash', '_jobs'],
    ['/tmp', '/', '(?:brief|bash)'],
    ['registry', '\\.npmjs'],
  ].map((parts) => new RegExp(`(?<![\\w.])${parts.join('')}`));

  it('no file names the place where it was written', () => {
    const skip = ['node_modules', '.git', 'dist', 'coverage', 'artifacts'];
    const found = filesBelow('.', skip)
      .filter((path) => !/\.(?:png|gz|tgz|der|bin|cbor|generated\.ts)$/.test(path))
      .flatMap((path) =>
        textOf(path)
          .split('\n')
          .flatMap((line, index) =>
            forbidden.some((word) => word.test(line)) ? [`${path}:${index + 1}`] : [],
          ),
      );
    expect(found).toEqual([]);
  });
});
