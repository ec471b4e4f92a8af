/** What a phase of a threshold session says to people: what was written for whom, who is waited for, and what they do next. */
import type { PhaseResult } from './phases.js';

/** A message that only one party may open; its name says which. */
const PRIVATE = /-to-(?<number>\d+)\.msg$/;

/** What the others wait for. */
const PUBLIC =
  /-start\.json$|-0-acceptance-from-\d+\.json$|-0-batch-from-\d+\.cbor$|-to-all\.msg$|-from-\d+\.proof$/;

/** The lines of a result for people. */
export function presentPhase(result: PhaseResult): string {
  const { phase, done, wrote, waiting, facts, signature, key, terms, operation } = result;
  const lines: string[] = [];
  if (phase === 'simulated') lines.push(...facts);
  if (phase === 'start') lines.push(...facts, `terms ${terms}: all must see the same`);
  lines.push(...wrote.filter((path) => path !== signature).map(forWhom));
  if (signature !== null) lines.push(`signature: ${signature}`);
  if (key !== null) lines.push(`your share rests in ${key}`);
  if (phase === 'finish') lines.push('the keys of this session are destroyed');
  if (waiting.length > 0) lines.push(`waiting for ${waiting.map(whom).join(', ')}`);
  const next = nextOf(phase, done, `conclave threshold ${operation}`, wrote.some(isForOthers));
  if (next !== undefined) lines.push(next);
  return lines.join('\n');
}

function nextOf(
  phase: string,
  done: boolean,
  command: string,
  hasWritten: boolean,
): string | undefined {
  const first = hasWritten ? 'give the others what is for them, then ' : '';
  if (phase === 'start' && !done) {
    return `next: ${first}${command} round with what they give you as --in`;
  }
  if (phase !== 'round' && phase !== 'start') return undefined;
  return done
    ? `all is here; next: ${first}${command} finish`
    : `next: ${first}${command} round again when theirs is here`;
}

function isForOthers(path: string): boolean {
  return PRIVATE.test(path) || PUBLIC.test(path);
}

function forWhom(path: string): string {
  const number = PRIVATE.exec(path)?.groups?.['number'];
  if (number !== undefined) return `for party ${number} alone: ${path}`;
  return PUBLIC.test(path) ? `for all others: ${path}` : `written: ${path}`;
}

/** A party by number and name; names that nobody gave are their numbers. */
export function whom({ number, name }: { readonly number: number; readonly name: string }): string {
  return name === `member ${number}` ? name : `${number} ${name}`;
}
