/** The suggestion behind "did you mean": the known word that differs least from a mistyped one. */

/**
 * The candidate nearest to `word` by edit distance, or `undefined` when none is near enough to be a likely slip.
 * @example `nearest('ml-dsa65', ['ml-dsa-65', 'ed25519'])` is `'ml-dsa-65'`
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  // Long input is no slip, and the distance costs the product of both lengths.
  const typed = word.slice(0, 64).toLowerCase();
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(typed.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(typed, candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = (previous[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(substituted, (previous[j] as number) + 1, (row[j - 1] as number) + 1));
    }
    previous = row;
  }
  return previous[b.length] as number;
}
