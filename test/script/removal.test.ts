/**
 * Every step of every shipped ceremony is taken out, one at a time, and each `needs:`. The linter must miss it, or it stands here
 * among those that by intent may be left out, with the reason.
 */
import { isMap, isSeq, parseDocument, type YAMLMap } from 'yaml';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Finding } from '#script/lint';
import { linter, shipped, shippedNames } from './catalogue.js';

const BY_INTENT: readonly { readonly what: RegExp; readonly why: string }[] = [
  {
    what: /^(presence|program|isolation|connected|parties|signers|carried|take-away|pause|kept)$/,
    why: 'what people make sure of among themselves, and when they wait, is for the reviewers to ask for',
  },
  {
    what: /^air-gap$/,
    why: 'the probes that are required are taken by the session itself; the step puts all of them on the record',
  },
  {
    what: /^(opened-bag|custody|destroy|shred|erase|erased|witnessed|remains|outcome|emergency)$/,
    why: 'bags, old paper and old media are out of the reach of the program: who keeps them elsewhere does otherwise',
  },
  {
    what: /^(check|look-first|look-second)$/,
    why: 'whether shares that were dealt before, or tokens, are looked at beforehand is for the reviewers to ask for',
  },
  {
    what: /^enrol$/,
    why: 'without it people come with the identities that they have, and the run refuses whoever has none',
  },
  {
    what: /^print-text$/,
    why: 'one form of the cards is enough',
  },
];

let lintText: (text: string) => readonly Finding[];
beforeAll(async () => {
  lintText = await linter();
});

interface Removed {
  readonly what: string;
  readonly text: string;
}

/** The definition without each of its steps, and without each quorum that a step needs. */
function removals(text: string): readonly Removed[] {
  const document = parseDocument(text);
  const acts = document.get('acts');
  if (!isSeq(acts)) throw new Error('no acts');
  return acts.items.flatMap((act) => {
    const steps = (act as YAMLMap).get('steps');
    if (!isSeq(steps)) throw new Error('no steps');
    return steps.items.flatMap((item, i): Removed[] => {
      if (!isMap(item)) throw new Error('a step that is none');
      const id = String(item.get('id'));
      const out: Removed[] = [];
      if (item.has('needs')) {
        const from = item.items.findIndex(({ key }) => String(key) === 'needs');
        const [pair] = item.items.splice(from, 1);
        out.push({ what: `${id}.needs`, text: String(document) });
        item.items.splice(from, 0, pair as (typeof item.items)[number]);
      }
      if (steps.items.length > 1) {
        steps.items.splice(i, 1);
        out.push({ what: id, text: String(document) });
        steps.items.splice(i, 0, item);
      }
      return out;
    });
  });
}

/** The same steps with the same references as `threshold-repair`: shipped.test.ts holds them to it. */
const ALIKE = ['threshold-refresh', 'threshold-reshare', 'threshold-enrol'];

describe.each(shippedNames.filter((name) => !ALIKE.includes(name)))('every step of %s', (name) => {
  it('is missed when it is gone, or may be', () => {
    const unnoticed = removals(shipped(`${name}.yaml`))
      .filter(({ text }) => lintText(text).length === 0)
      .map(({ what }) => what);
    expect(unnoticed.filter((what) => !BY_INTENT.some((it) => it.what.test(what)))).toEqual([]);
  });
});
