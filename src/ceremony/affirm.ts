/** Yes or no, where a no has consequences. */
import type { Answer, QuestionAt, Terminal } from '#terminal/terminal';

/**
 * Asks until somebody says yes, or says no and means it: at a terminal Enter alone is a no, and a slip of the finger must not
 * end a ceremony.
 */
export async function affirm(
  terminal: Terminal,
  question: string,
  at: QuestionAt,
): Promise<Answer<boolean>> {
  for (;;) {
    const answer = await terminal.confirm(question, at);
    if (answer.value || !terminal.interactive) return answer;
    const meant = await terminal.choose(
      'That was a no.',
      [
        { value: 'again', label: 'It was a mistake: ask again' },
        { value: 'no', label: 'It is a no' },
      ],
      at,
    );
    if (meant.value !== 'again') return answer;
  }
}
