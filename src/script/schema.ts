/**
 * The shape of every YAML file of a ceremony, as zod schemas over the YAML spelling. Only shape is decided here; what
 * refers to what is the linter's business. Nothing outside this room imports it: zod costs 40 ms at start.
 */
import { z } from 'zod';
import { KNOWN_LEVELS, READ_BACK_FORMS } from './definition.js';
import { NAME } from './entries.js';

/** An object whose unknown keys are refused; the message carries the known ones, so that a typo can be put right. */
function strict<S extends z.ZodRawShape>(shape: S): z.ZodObject<S, z.core.$strict> {
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys' ? `known: ${Object.keys(shape).join(' ')}` : undefined,
  });
}

const name = z
  .string()
  .max(64)
  .regex(NAME, 'a lower-case name with digits and hyphens was expected');
const line = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^\n]*$/, 'one line of text was expected');
/** Headings must fit an 80-column terminal behind their number. */
const title = z
  .string()
  .min(1)
  .max(68)
  .regex(/^[^\n]*$/, 'one line of text was expected');
const prose = z.string().min(1).max(4000);
const person = z
  .string()
  .max(128)
  .regex(/^\S(?:.*\S)?$/, "a person's name was expected")
  .regex(/^[^/\n]*$/, "a person's name holds no slash and no line break");
const path = z
  .string()
  .min(1)
  .max(1024)
  .regex(/^[^\n]*$/, 'a path was expected');
const scalar = z.union([z.string().max(4000), z.int(), z.boolean()], {
  error: 'text, an integer, true or false was expected',
});
const expression = z.union([scalar, z.array(scalar).max(256)], {
  error: 'text, an integer, true or false, or a list of these was expected',
});

function named<T extends z.ZodType>(value: T, max: number): z.ZodRecord<z.ZodString, T> {
  return z.record(name, value).refine((entries) => Object.keys(entries).length <= max, {
    error: `at most ${max} are allowed`,
  });
}

const parameter = strict({
  type: z.enum(['string', 'integer', 'boolean', 'algorithm', 'path']),
  summary: line,
  default: scalar.optional(),
  choices: z.array(z.string().min(1).max(200)).min(2).max(64).optional(),
});

const role = strict({
  count: z.int().min(1).max(64),
  identity: z.enum(['required', 'optional']),
  level: z.enum(KNOWN_LEVELS).optional(),
  'distinct-from': z.array(name).max(16).optional(),
  summary: line,
});

const quorum = strict({
  of: name,
  threshold: z.int().min(1).max(255),
  shares: z.int().min(1).max(255),
});

const material = strict({
  kind: line,
  count: z.int().min(1).max(1000),
  serial: z.enum(['required', 'optional', 'none']),
});

/** What a branch gives is, on each side, one output of a step. */
const given = z
  .string()
  .max(200)
  .regex(/^\$\{\{ ?steps\.[a-z][a-z0-9-]*\.[a-z][a-z0-9-]* ?\}\}$/, {
    error: 'one reference such as ${{ steps.STEP.OUTPUT }} was expected',
  });

const branch = strict({
  summary: line,
  when: line,
  gives: named(strict({ then: given, else: given }), 16).optional(),
});

const onSide = z
  .string()
  .max(80)
  .regex(
    /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*\.(?:then|else)$/,
    'BRANCH.then or BRANCH.else was expected',
  );

const step = strict({
  id: name,
  title,
  by: name,
  each: name.optional(),
  when: line.optional(),
  needs: name.optional(),
  say: prose.optional(),
  uses: z
    .string()
    .max(64)
    .regex(/^[a-z0-9-]+(?:\.[a-z0-9-]+)*$/, 'an action such as key.generate was expected')
    .optional(),
  with: named(expression, 64).optional(),
  do: z.enum(['confirm', 'ask', 'read-back', 'handover', 'seal', 'pause', 'sign-off']).optional(),
  value: expression.optional(),
  choices: z.array(line).min(2).max(16).optional(),
  form: z.enum(READ_BACK_FORMS).optional(),
  minutes: z.int().min(1).max(1440).optional(),
  timeout: z.int().min(1).max(1440).optional(),
  effect: z.enum(['none', 'repeatable', 'irreversible']).optional(),
  retry: z.int().min(0).max(16).optional(),
  'on-failure': z
    .union([
      z.enum(['abort', 'retry', 'deviate', 'postpone']),
      z.string().regex(/^(?:step|act) [a-z][a-z0-9]*(?:-[a-z0-9]+)*$/),
    ])
    .optional(),
  branch: onSide.optional(),
});

const act = strict({
  id: name,
  title,
  branch: onSide.optional(),
  steps: z.array(step).min(1).max(256),
});

const duty = strict({
  duty: line,
  within: z.string().regex(/^P(?=.)(?:\d{1,3}Y)?(?:\d{1,3}M)?(?:\d{1,3}W)?(?:\d{1,4}D)?$/, {
    error: 'a duration such as P90D was expected',
  }),
  branch: onSide.optional(),
});

/** `definition.yaml`. */
export const definitionSchema = strict({
  conclave: z.literal(1, { error: 'this program reads version 1 of the definition format' }),
  id: name,
  title,
  summary: prose,
  classification: z.enum(['production', 'dev']),
  unattended: z.boolean().optional(),
  parameters: named(parameter, 64).optional(),
  roles: named(role, 32),
  quorums: named(quorum, 16).optional(),
  materials: named(material, 64).optional(),
  environment: strict({
    require: z.array(name).max(64),
    recheck: z.literal('every-act').optional(),
  }).optional(),
  waive: z
    .array(z.enum(['n-of-n', 'threshold-1', 'draft', 'token-only']))
    .max(4)
    .optional(),
  branches: named(branch, 4).optional(),
  acts: z.array(act).min(1).max(64),
  after: z.array(duty).max(32).optional(),
});

/** `site.yaml`. */
export const siteSchema = strict({
  site: z.literal(1, { error: 'this program reads version 1 of the site format' }),
  identities: z.record(person, path).optional(),
  bindings: named(path, 64).optional(),
  tokens: named(
    strict({
      module: path,
      token: line.optional(),
      serial: line.optional(),
      'pin-file': path.optional(),
      rehearsal: z.boolean().optional(),
    }),
    16,
  ).optional(),
  previous: strict({
    ceremony: name,
    head: z.string().regex(/^[0-9a-f]{64}$/, '64 hexadecimal digits were expected'),
  }).optional(),
});

/** `participants.yaml`. */
export const participantsSchema = strict({
  participants: z
    .array(
      strict({
        name: person,
        role: name,
        identity: path,
        level: z.enum(['verified', 'introduced', 'tofu']).optional(),
      }),
    )
    .min(1)
    .max(256),
});

/** What is typed or scanned in one go: the code of a card is a long line. */
const typed = z
  .string()
  .min(1)
  .max(4000)
  .regex(/^[^\n]*$/, 'one line of text was expected');

const answer = strict({
  confirm: z.boolean().optional(),
  text: typed.optional(),
  choice: line.optional(),
  'passphrase-file': path.optional(),
}).refine((given) => Object.keys(given).length === 1, {
  error: 'exactly one of confirm, text, choice and passphrase-file was expected',
});

/** An answers file. */
export const answersSchema = strict({
  brings: named(path, 64).optional(),
  answers: z.record(
    z
      .string()
      .max(300)
      .regex(/^[a-z0-9-]+\/[a-z0-9-]+(?:\/\S(?:.*\S)?)?$/, {
        error: 'a key such as act/step or act/step/person was expected',
      }),
    z.union([z.array(answer).min(1).max(64), answer]),
  ),
});

/** What zod gives for `definition.yaml`: still in the YAML spelling. */
export type RawDefinition = z.infer<typeof definitionSchema>;

/** What zod gives for one step. */
export type RawStep = z.infer<typeof step>;

/** What zod gives for one answer. */
export type RawAnswer = z.infer<typeof answer>;
