/** The tail of a message about an unknown name. */
import { nearest } from '#formats/nearest';

/** `; did you mean "x"?`, or nothing when no known name is near. */
export function suggestion(typed: string, known: Iterable<string>): string {
  const found = nearest(typed, known);
  return found === undefined ? '' : `; did you mean "${found}"?`;
}
