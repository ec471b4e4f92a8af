/** The minutes tell everything that happened, on pages that a person reads. */
import { describe, expect, it } from 'vitest';
import { parseDefinition } from '#script/parse';
import { renderMinutes } from '#script/minutes';
import { shipped } from './catalogue.js';
import { entriesOf, makeSession } from './session.js';

describe('minutes', () => {
  it('name people, steps, digests, artifacts and sign-offs, within 80 columns of code', async () => {
    const made = await makeSession(shipped('root-key.yaml'), 'rehearsal');
    const entries = entriesOf(made.drafts);
    const text = renderMinutes({ definition: made.definition, entries });
    expect(text).toMatch(
      /^# Minutes: Generation of a root key\n\n\*\*REHEARSAL\. This is not evidence/,
    );
    for (const { name } of made.participants) expect(text).toContain(`| ${name} |`);
    for (const act of made.definition.acts) {
      expect(text).toContain(act.title);
      for (const { title } of act.steps) expect(text).toContain(title);
    }
    for (const path of made.files.keys()) expect(text).toContain(path);
    expect(text).toContain('None. Cross out:');
    expect(text.match(/signature _{10,}/g)).toHaveLength(3);
    const blocks = [...text.matchAll(/```\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');
    expect(blocks.length).toBeGreaterThanOrEqual(3);
    for (const line of blocks.join('').split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  it('show deviations, gaps and disagreements, and no markup of other people', async () => {
    const made = await makeSession(shipped('quickstart.yaml'));
    const at = made.drafts.findIndex(({ type }) => type === 'signoff');
    const [signoff] = made.drafts.slice(at, at + 1);
    const entries = entriesOf([
      ...made.drafts.slice(0, at),
      {
        type: 'deviation',
        data: {
          about: 'other',
          expected: 'quiet',
          happened: 'a | bell <script>\nrang',
          reason: '# fire *drill*',
          by: 'administrator',
          initials: ['witness'],
          graded: 'recorded',
        },
      },
      { type: 'signoff', data: { ...signoff?.data, agrees: false, reason: 'too loud' } },
      ...made.drafts.slice(at + 1),
    ]);
    const text = renderMinutes({ definition: made.definition, entries });
    expect(text).toMatch(/\*\*deviation\*\* \(other\)/);
    expect(text).toContain('a \\| bell \\<script\\> rang');
    expect(text).toContain('\\# fire \\*drill\\*');
    expect(text).toContain('DISAGREES: too loud');
  });

  it('of a session that is not closed say so', () => {
    const { definition } = parseDefinition(Buffer.from(shipped('quickstart.yaml')), 'q');
    expect(renderMinutes({ definition, entries: [] })).toContain('never opened');
  });
});
