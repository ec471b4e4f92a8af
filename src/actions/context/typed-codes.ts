/** Typed lines as codes: the keyboard's differences undone, the test code taken out, damaged lines said so at once. */
import {
  GERMAN_KEYS,
  isLayoutTest,
  type KeyMap,
  learnLayout,
  mapKeys,
  PLAIN_KEYS,
} from '#carriage/transport/key-layout';
import { decodeUr, looksLikeUr } from '#carriage/transport/ur';
import { ConclaveError } from '#formats/errors';
import type { SeenCode } from './scan.js';

/** Longest line that is looked at; a scanner types 4296 characters at most. */
const MAX_LINE = 8192;

/**
 * Codes out of typed lines. A UR whose checksum does not hold is tried with the commonest wrong keyboard before it is
 * reported; the person is told when that was it.
 */
export async function* understandTyped(
  lines: AsyncIterable<string>,
  remark: (text: string) => void,
): AsyncGenerator<SeenCode> {
  let keys: KeyMap = PLAIN_KEYS;
  let count = 0;
  for await (const raw of lines) {
    const line = raw.trim();
    if (line === '') continue;
    if (line.length > MAX_LINE) {
      remark(`a line of more than ${MAX_LINE} characters was left alone`);
      continue;
    }
    if (isLayoutTest(line)) {
      const { keys: learnt, changed } = learnLayout(line);
      keys = learnt;
      remark(
        changed.length === 0
          ? 'keyboard test: the scanner types what it reads'
          : `keyboard test: ${changed.join(', ')}; undone from here on, but better set both to US`,
      );
      continue;
    }
    const from = `typed line ${++count}`;
    const mapped = keys === PLAIN_KEYS ? line : mapKeys(line, keys);
    if (whole(mapped, from)) {
      yield { text: mapped, from };
      continue;
    }
    const german = mapKeys(line, GERMAN_KEYS);
    if (keys === PLAIN_KEYS && looksLikeUr(german) && whole(german, from)) {
      remark(
        'Y and Z are exchanged: the scanner types for a US keyboard, this computer reads a German one; undone, ' +
          'but better set both to US',
      );
      yield { text: german, from };
      continue;
    }
    yield { text: mapped, from };
  }
}

/** Whether a line is a UR whose checksum holds. What else it may be is for others to say. */
function whole(line: string, from: string): boolean {
  if (!looksLikeUr(line)) return false;
  try {
    decodeUr(line, from);
    return true;
  } catch (error) {
    if (error instanceof ConclaveError) return false;
    throw error;
  }
}
