/** What is said when the machine did something: whoever is told to print "the cards" must know where they are. */
import { describe, expect, it } from 'vitest';
import { doneSentence } from '#ceremony/done';

describe('a step of the machine', () => {
  it('says that it is done', () => {
    expect(doneSentence('acme/sessions/1', [])).toBe('Done, and on the record.');
  });

  it('says where its files are, a folder once', () => {
    const cards = [1, 2].map((n) => `artifacts/cards/card-${n}.pdf`);
    expect(doneSentence('acme/sessions/1', cards)).toBe(
      'Done, and on the record. Written in acme/sessions/1/artifacts: cards/ (2 files).',
    );
    expect(doneSentence('s', ['artifacts/root.pub', 'artifacts/a/b/c.json'])).toBe(
      'Done, and on the record. Written in s/artifacts: root.pub, a/b/ (1 file).',
    );
  });
});
