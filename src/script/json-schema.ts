/** The form of a ceremony's files as JSON Schema, made from the schemas that read them. */
import { z } from 'zod';
import { answersSchema, definitionSchema, participantsSchema, siteSchema } from './schema.js';

const FILES = {
  definition: [definitionSchema, 'A ceremony: who takes part, and what happens'],
  site: [siteSchema, 'Where things lie in one place'],
  participants: [participantsSchema, 'Who takes part in one ceremony'],
  answers: [answersSchema, 'Answers in the place of people, for rehearsals'],
} as const;

/** JSON Schema (draft 2020-12) of one file. What only code can check is not in it. */
export function jsonSchemaOf(file: keyof typeof FILES): Readonly<Record<string, unknown>> {
  const [schema, title] = FILES[file];
  return {
    title: `conclave ${file}`,
    description: title,
    ...z.toJSONSchema(schema, { io: 'input' }),
  };
}
