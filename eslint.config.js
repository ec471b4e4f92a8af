/**
 * What the compiler cannot see: promises nobody waits for, unions left open, output where there must be none. Formatting
 * is prettier's. Which room may import which is checked by test/architecture, which resolves every import.
 */
import js from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tsdoc from 'eslint-plugin-tsdoc';
import tseslint from 'typescript-eslint';

const noChance = {
  object: 'Math',
  property: 'random',
  message: 'randomness comes from the host, handed in',
};
const noProcessOutput = ['stdout', 'stderr', 'exit'].map((property) => ({
  object: 'process',
  property,
  message: 'only cli and terminal speak and exit; everything else returns or throws',
}));
const noInspect = {
  name: 'node:util',
  importNames: ['inspect'],
  message: 'printing goes through types that know what is secret',
};

/** The rules that need types, and the ones of them that tests are held to as well. */
const typed = Object.assign({}, ...tseslint.configs.strictTypeCheckedOnly);
const keptInTests = [
  '@typescript-eslint/no-floating-promises',
  '@typescript-eslint/no-misused-promises',
  '@typescript-eslint/switch-exhaustiveness-check',
  '@typescript-eslint/await-thenable',
];

export default defineConfig(
  {
    ignores: ['dist/', 'coverage/', 'node_modules/', 'artifacts/', '**/*.generated.ts'],
  },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname },
    },
    plugins: { tsdoc },
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      // What was caught is thrown on as it came.
      '@typescript-eslint/only-throw-error': ['error', { allowThrowingUnknown: true }],
      // An interface may promise where one of its implementations has nothing to wait for.
      '@typescript-eslint/require-await': 'off',
      // Spreading a string into code points is how columns and characters are counted here.
      '@typescript-eslint/no-misused-spread': 'off',
      // The compiler says the same, or (enums, instances) leaves nothing to say; these are the slow ones.
      '@typescript-eslint/no-unused-vars': 'off',
      '@typescript-eslint/no-deprecated': 'off',
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      '@typescript-eslint/no-unsafe-enum-assignment': 'off',
      // `this`-free interfaces of implementations are passed around as values on purpose.
      '@typescript-eslint/unbound-method': 'off',
      'tsdoc/syntax': 'error',
      eqeqeq: 'error',
      // Parsers and terminals name control characters on purpose.
      'no-control-regex': 'off',
      'no-console': 'error',
      'no-restricted-properties': ['error', noChance, ...noProcessOutput],
      'no-restricted-imports': ['error', { paths: [noInspect] }],
    },
  },
  {
    files: ['src/**'],
    ignores: ['src/crypto/**', 'src/host/**'],
    rules: {
      'no-restricted-globals': ['error', { name: 'crypto', message: 'only crypto and host' }],
    },
  },
  {
    files: ['src/cli/**', 'src/terminal/**', 'bin/**'],
    rules: {
      'no-console': 'off',
      'no-restricted-properties': ['error', noChance],
    },
  },
  {
    files: ['src/formats/secret-bytes.ts'],
    rules: { 'no-restricted-imports': 'off' },
  },
  {
    files: ['test/**'],
    rules: {
      // Tests say what they know of a fixture; what matters in them is that every promise is waited for.
      ...Object.fromEntries(
        Object.keys(typed.rules)
          .filter((rule) => !keptInTests.includes(rule))
          .map((rule) => [rule, 'off']),
      ),
      '@typescript-eslint/no-non-null-assertion': 'off',
      'no-console': 'off',
      'no-restricted-properties': ['error', noChance],
      'no-restricted-imports': 'off',
    },
  },
  {
    files: ['**/*.{js,mjs}'],
    languageOptions: {
      globals: Object.fromEntries(
        ['Buffer', 'console', 'performance', 'process', 'setTimeout', 'clearTimeout', 'URL'].map(
          (name) => [name, 'readonly'],
        ),
      ),
    },
    rules: { 'no-restricted-properties': ['error', noChance] },
  },
);
