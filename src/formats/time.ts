/** Times as artifacts write them: UTC, to the second. */

/** `2026-11-23T09:30:00Z` for a date; fractions of a second are dropped. */
export function formatTime(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}
