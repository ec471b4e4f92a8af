/** `ceremony schema`: the form of a ceremony's files, for editors. */
import { defineCommand } from '../command.js';

export const ceremonySchema = defineCommand({
  id: 'ceremony.schema',
  summary: "print the JSON Schema of a ceremony's files, for editors",
  description:
    'What an editor needs to complete and check definition.yaml, site.yaml, participants.yaml or an answers file while they are ' +
    'written. It knows the form; what refers to what, ceremony check knows.',
  inputs: {
    file: {
      type: 'string',
      summary: 'which file',
      choices: ['definition', 'site', 'participants', 'answers'],
      default: 'definition',
      positional: 0,
      placeholder: 'FILE',
    },
  },
  outputs: {},
  effect: 'none',
  only: 'cli',
  examples: [
    {
      command: 'conclave ceremony schema definition > definition.schema.json',
      explains: 'then say in the YAML: # yaml-language-server: $schema=definition.schema.json',
    },
  ],
  run: async ({ file }) => {
    const { jsonSchemaOf } = await import('#script/json-schema');
    return { file, schema: jsonSchemaOf(file as Parameters<typeof jsonSchemaOf>[0]) };
  },
  present: ({ schema }) => JSON.stringify(schema, null, 2),
});
