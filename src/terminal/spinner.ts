/** Work in progress on a terminal: one moving line that steps aside when people are spoken to, and goes with the work. */

/** Where a spinner turns. */
export interface SpinnerOptions {
  readonly stream: NodeJS.WritableStream;
  readonly colour: boolean;
}

/** A moving line. */
export interface Spinner {
  /** Takes the line away, so that something else can be written or asked there. */
  pause(): void;
  /** Brings it back, once for each time that it was taken away. */
  resume(): void;
  /** Takes it away for good. */
  stop(): void;
}

/** A turning spinner; `ora` is loaded only now. */
export async function startSpinner(
  message: string,
  { stream, colour }: SpinnerOptions,
): Promise<Spinner> {
  const { default: ora } = await import('ora');
  const spinner = ora({
    text: message,
    stream,
    // Standard input belongs to the prompts; ora must not swallow what a person types ahead.
    discardStdin: false,
    isEnabled: true,
    color: colour ? 'cyan' : false,
  }).start();
  let paused = 0;
  return {
    pause: () => {
      if (paused++ === 0) spinner.stop();
    },
    resume: () => {
      if (--paused === 0) spinner.start();
    },
    stop: () => void spinner.stop(),
  };
}
