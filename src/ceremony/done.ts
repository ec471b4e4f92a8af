/** What a person hears when a step of the machine is done: that it is on the record, and where the files are that it wrote. */
import { join } from 'node:path';
import { ARTIFACTS } from './files.js';

/**
 * One sentence or two.
 * @param folder - of the session, as typed
 * @param paths - of what the step wrote, relative to that folder
 */
export function doneSentence(folder: string, paths: readonly string[]): string {
  const inside = `${ARTIFACTS}/`;
  const names = paths.map((path) => (path.startsWith(inside) ? path.slice(inside.length) : path));
  if (names.length === 0) return 'Done, and on the record.';
  const counts = new Map<string, number>();
  for (const name of names) {
    const slash = name.lastIndexOf('/');
    const place = slash < 0 ? name : `${name.slice(0, slash)}/`;
    counts.set(place, (counts.get(place) ?? 0) + 1);
  }
  const places = [...counts].map(([place, count]) =>
    place.endsWith('/') ? `${place} (${count} ${count === 1 ? 'file' : 'files'})` : place,
  );
  return `Done, and on the record. Written in ${join(folder, ARTIFACTS)}: ${places.join(', ')}.`;
}
