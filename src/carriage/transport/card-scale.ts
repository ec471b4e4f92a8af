/** How large everything on a card is, by paper. */
import type { Paper } from './card.js';

/** Millimetres as points. */
export function mm(value: number): number {
  return (value * 72) / 25.4;
}

/** Sizes that differ between a sheet and a small card, in points. */
export interface Scale {
  readonly margin: number;
  readonly small: number;
  readonly text: number;
  readonly heading: number;
  readonly title: number;
  readonly mono: number;
  readonly lineMono: number;
  readonly lineStep: number;
  readonly code: number;
  /** Width of the labels of facts. */
  readonly label: number;
  readonly blank: number;
  readonly strip: number;
  readonly gap: number;
  /** Whether only short facts have room beside the code. */
  readonly narrow: boolean;
}

const A4: Scale = {
  margin: mm(14),
  small: 7.5,
  text: 8.8,
  heading: 10.5,
  title: 22,
  mono: 7.6,
  lineMono: 9.4,
  lineStep: 12.2,
  code: mm(60),
  label: mm(19),
  blank: mm(9),
  strip: mm(30),
  gap: mm(3.8),
  narrow: false,
};
/** Wider and shorter. */
const LETTER: Scale = {
  ...A4,
  margin: mm(12),
  code: mm(55),
  lineStep: 11.8,
  blank: mm(8),
  strip: mm(27),
  gap: mm(2.6),
};
/** A small card, written on both sides. */
const A6: Scale = {
  margin: mm(6),
  small: 5.4,
  text: 5.8,
  heading: 7,
  title: 16,
  mono: 5.1,
  lineMono: 5.35,
  lineStep: 7.7,
  code: mm(56),
  label: mm(14),
  blank: mm(7.2),
  strip: mm(24),
  gap: mm(2.2),
  narrow: true,
};

/** By the name of the paper. */
export const SCALES: Readonly<Record<Paper, Scale>> = { a4: A4, letter: LETTER, a6: A6 };

/** The same with less air, and no smaller letters. */
export function closer(scale: Scale): Scale {
  const { lineStep, code, blank, strip, gap } = scale;
  return {
    ...scale,
    lineStep: lineStep * 0.9,
    code: code * 0.93,
    blank: blank * 0.85,
    strip: strip * 0.92,
    gap: gap * 0.62,
  };
}
