/** Work in progress on a terminal: one moving line that disappears when the work is done. */

/** Where a spinner turns. */
export interface SpinnerOptions {
  readonly stream: NodeJS.WritableStream;
  readonly colour: boolean;
}

/** Runs `work` beside a spinner; `ora` is loaded only now. The line is gone afterwards, whatever happened. */
export async function spinning<T>(
  message: string,
  work: () => Promise<T>,
  { stream, colour }: SpinnerOptions,
): Promise<T> {
  const { default: ora } = await import('ora');
  const spinner = ora({
    text: message,
    stream,
    // Standard input belongs to the prompts; ora must not swallow what a person types ahead.
    discardStdin: false,
    isEnabled: true,
    color: colour ? 'cyan' : false,
  }).start();
  try {
    return await work();
  } finally {
    spinner.stop();
  }
}
