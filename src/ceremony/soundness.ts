/** What can be proven of a ceremony before it runs: its definition by the linter, its people against it. */
import { dirname, join } from 'node:path';
import { lintingSurroundings } from '#actions/session/linting';
import { decodeIdentity } from '#custody/authority/identity';
import { ConclaveError, MissingInputError } from '#formats/errors';
import type { Definition } from '#script/definition';
import { enrolledRoles } from '#script/enrolment';
import { type Finding, lint } from '#script/lint';
import { parseDefinition, parseParticipants, parseSite } from '#script/parse';
import { peopleProblems } from '#script/people';
import type { CommandContext } from './command.js';
import { levelProblems, type ListedIdentity } from './known-people.js';
import { type Place, readDefinition } from './place.js';

/** A finding and the file that it is in. */
export interface PlacedFinding extends Omit<Finding, 'path'> {
  readonly file: string;
}

/** What was looked at, and what is wrong with it. */
export interface Soundness {
  readonly definition: Definition;
  readonly digestOf: Uint8Array;
  readonly files: readonly string[];
  readonly findings: readonly PlacedFinding[];
  /** Identity files that are not there yet. The script is no worse for it; the day itself refuses to begin without them. */
  readonly awaited: readonly string[];
}

/**
 * Checks definition, site and participants of a ceremony.
 * @throws InputError for a file that does not parse at all
 */
export async function checkCeremony(context: CommandContext, place: Place): Promise<Soundness> {
  const { files } = context.host;
  const bytes = readDefinition(files, place.definition);
  const { definition, positions } = parseDefinition(bytes, place.definition);
  const surroundings = await lintingSurroundings(context);
  const findings = lint(definition, positions, await context.catalogue(), surroundings).map(
    ({ line, column, rule, message }) => ({ file: place.definition, line, column, rule, message }),
  );
  const looked = [place.definition];
  const awaited: string[] = [];
  const { site, participants } = place;
  if (site !== undefined && files.exists(site)) {
    looked.push(site);
    parseSite(files.read(site), site);
  }
  if (participants !== undefined && files.exists(participants)) {
    looked.push(participants);
    findings.push(...peopleFindings(context, definition, participants, awaited));
  }
  return { definition, digestOf: bytes, files: looked, findings, awaited };
}

function peopleFindings(
  context: CommandContext,
  definition: Definition,
  path: string,
  awaited: string[],
): readonly PlacedFinding[] {
  const { files } = context.host;
  const at = { file: path, line: 1, column: 1, rule: 'people' };
  const brought: ListedIdentity[] = [];
  const found: PlacedFinding[] = [];
  const attendants = parseParticipants(files.read(path), path).map(
    ({ name, role, identity, level }) => {
      if (identity === null) return { name, role, identity, level };
      const file = join(dirname(path), identity);
      try {
        const read = decodeIdentity(files.read(file, 64 * 1024), file);
        brought.push({ name, level, identity: read });
        return { name, role, identity: read.id, level };
      } catch (error) {
        if (!(error instanceof ConclaveError)) throw error;
        if (error instanceof MissingInputError) awaited.push(`identity of ${name}: ${file}`);
        else found.push({ ...at, message: `identity of ${name}: ${error.message}` });
        // Its place is taken: what is wrong with the file is told once, not twice.
        return { name, role, identity: file, level };
      }
    },
  );
  const problems = [
    ...peopleProblems(definition, attendants, enrolledRoles(definition)),
    ...levelProblems(context, brought),
  ];
  return [...found, ...problems.map((message) => ({ ...at, message }))];
}
