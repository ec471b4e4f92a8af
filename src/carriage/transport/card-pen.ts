/** The pen that a card is drawn with: pages, margins, and the pieces that return on every page. */
import type { Card, CardCode } from './card.js';
import { grouped } from './card-facts.js';
import type { Scale } from './card-scale.js';
import { type Face, fit, widthOf } from './font-metrics.js';
import type { Mark, Page } from './page.js';

/** Light modules around a code. */
export const QUIET = 4;

/** Pages under way; layouts extend it. */
export abstract class CardPen {
  protected readonly card: Card;
  protected readonly width: number;
  protected readonly height: number;
  protected readonly scale: Scale;
  protected marks: Mark[] = [];
  readonly #pages: Mark[][] = [];
  /** How far down the page is filled. */
  protected y = 0;

  constructor(card: Card, width: number, height: number, scale: Scale) {
    this.card = card;
    this.width = width;
    this.height = height;
    this.scale = scale;
  }

  /** All pages as they stand. */
  protected done(): Page[] {
    const { share, quorum } = this.card;
    const title = `Share ${share}, ${quorum}`;
    return this.#pages.map((marks) => ({
      width: this.width,
      height: this.height,
      title,
      marks,
    }));
  }

  /** Where the lower margin begins. */
  protected bottom(): number {
    return this.height - this.scale.margin;
  }

  /** Where the left margin ends. */
  protected left(): number {
    return this.scale.margin;
  }

  /** Width between the margins. */
  protected inner(): number {
    return this.width - 2 * this.scale.margin;
  }

  /** A new page; what marks it as worthless lies below everything else. */
  protected open(): void {
    this.marks = [];
    this.#pages.push(this.marks);
    this.y = this.scale.margin;
    const { mark } = this.card;
    if (mark === undefined) return;
    const word = mark.split(':')[0] ?? mark;
    const size = (0.8 * this.width) / (widthOf(word, 'sans-bold', 1) * 0.94);
    for (const part of [0.3, 0.74]) {
      this.marks.push({
        kind: 'outline',
        x: this.width / 2,
        y: this.height * part + size / 3,
        text: word,
        size,
        degrees: 24,
      });
    }
  }

  /** A line of text on its baseline. */
  protected text(x: number, y: number, text: string, face: Face, size: number): void {
    this.marks.push({ kind: 'text', x, y, text, face, size });
  }

  /** The same, ending at `right`. */
  protected textRight(right: number, y: number, text: string, face: Face, size: number): void {
    this.text(right - widthOf(text, face, size), y, text, face, size);
  }

  /** A line across the page. */
  protected rule(
    y: number,
    width: number,
    from = this.left(),
    to = this.left() + this.inner(),
  ): void {
    this.marks.push({ kind: 'line', from: [from, y], to: [to, y], width });
  }

  /** Head of every page but the first. */
  protected runningHead(): void {
    const { share, quorum, setId } = this.card;
    const { small, heading } = this.scale;
    this.y += heading;
    this.text(this.left(), this.y, `Share ${share}, ${quorum}`, 'sans-bold', heading);
    if (setId !== undefined) {
      const text = `set ${grouped(setId.slice(0, 16))}`;
      this.textRight(this.left() + this.inner(), this.y, text, 'mono', small);
    }
    this.y += heading * 0.5;
    if (this.card.mark === undefined) this.rule(this.y, 0.8);
    else this.banner();
    this.y += this.scale.gap;
  }

  /** White on black across the page: cannot be overlooked, and cannot be mistaken after a bad copy. */
  protected banner(): void {
    const { mark } = this.card;
    if (mark === undefined) return;
    const { heading } = this.scale;
    const height = heading * 1.9;
    const top = this.y + heading * 0.4;
    this.marks.push({
      kind: 'box',
      x: this.left(),
      y: top,
      width: this.inner(),
      height,
    });
    const x = this.width / 2 - widthOf(mark, 'sans-bold', heading) / 2;
    this.marks.push({
      kind: 'reversed',
      x,
      y: top + height / 2 + heading * 0.36,
      text: mark,
      face: 'sans-bold',
      size: heading,
    });
    this.y = top + height;
  }

  /** A code whose dark modules fill `size`; its quiet zone is cleared around it. */
  protected code({ matrix, caption }: CardCode, x: number, y: number, size: number): void {
    const { small } = this.scale;
    const quiet = (size / matrix.length) * QUIET;
    const cleared = size + 2 * quiet;
    this.marks.push({
      kind: 'box',
      x: x - quiet,
      y: y - quiet,
      width: cleared,
      height: cleared,
      clears: true,
    });
    this.marks.push({ kind: 'code', x, y, size, matrix });
    this.text(x, y + size + quiet + small, caption, 'sans', small);
  }

  /** A heading, a note beside it, a rule below. */
  protected heading(text: string, note: string): void {
    const { heading, small } = this.scale;
    this.y += heading;
    this.text(this.left(), this.y, text, 'sans-bold', heading);
    const x = this.left() + widthOf(text, 'sans-bold', heading) + heading;
    const room = this.left() + this.inner() - x;
    this.text(x, this.y, fit(note, 'sans', small, room), 'sans', small);
    this.y += heading * 0.5;
    this.rule(this.y, 0.5);
    this.y += heading * 0.25;
  }

  /** Room that a heading takes. */
  protected headingHeight(): number {
    return this.scale.heading * 1.75;
  }

  /** Labels with a line to write on. */
  protected blankRow(labels: readonly string[]): void {
    const { blank, small, gap } = this.scale;
    const width = (this.inner() - (labels.length - 1) * gap) / labels.length;
    this.y += blank;
    labels.forEach((label, i) => {
      const x = this.left() + i * (width + gap);
      this.text(x, this.y, label, 'sans', small);
      this.rule(this.y + 1, 0.5, x + widthOf(label, 'sans', small) + small * 0.5, x + width);
    });
  }
}
