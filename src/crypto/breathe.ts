/**
 * Lets the event loop turn once between computations that take seconds: an interruption that came meanwhile is heard before the
 * next one begins, and before anything is written.
 */
export async function breathe(): Promise<void> {
  await new Promise<void>((resolve) => {
    setImmediate(resolve);
  });
}
