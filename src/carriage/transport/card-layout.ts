/**
 * Where everything stands on a card: the one layout behind SVG, HTML and PDF. A large sheet has one page for a share as long
 * as its lines fit; a small card has a front and a back. What does not fit goes overleaf and the front says so.
 */
import { type Advice, adviceOf, type Card, type CardCode, type Paper, papers } from './card.js';
import { type Fact, factsOf, grouped } from './card-facts.js';
import { CardPen, QUIET } from './card-pen.js';
import { closer, mm, type Scale, SCALES } from './card-scale.js';
import { fit, widthOf, wrapText } from './font-metrics.js';
import { lineNumber, type PrintedLine } from './line-code.js';
import type { Page } from './page.js';

/** Pages that a card has when its lines fit: one sheet, or two sides of a small card. */
const PAGES: Readonly<Record<Paper, number>> = { a4: 1, letter: 1, a6: 2 };

/** The pages of one card: drawn more closely when that saves a page. */
export function layoutCard(card: Card, paper: Paper): Page[] {
  const { width, height } = papers[paper];
  const draw = (scale: Scale): Page[] => {
    const sheet = new Sheet(card, mm(width), mm(height), scale);
    return paper === 'a6' ? sheet.smallCard() : sheet.largeSheet();
  };
  const roomy = draw(SCALES[paper]);
  if (roomy.length <= PAGES[paper]) return roomy;
  const close = draw(closer(SCALES[paper]));
  return close.length <= PAGES[paper] ? close : roomy;
}

/** Lays out one card. */
class Sheet extends CardPen {
  largeSheet(): Page[] {
    const { codes, lines, packageLines } = this.card;
    this.open();
    this.#title();
    this.#front(codes.slice(0, 2));
    const below = this.#adviceHeight() + this.#blanksHeight() + this.#stripHeight();
    const fits = this.y + this.#linesHeight(lines) + below <= this.bottom();
    if (fits) this.#lines(lines, 'The share, to type');
    else this.#overleafNote();
    this.#advice();
    this.y = this.bottom() - this.#stripHeight() - this.#blanksHeight();
    this.#blanks();
    this.#strip();
    this.#overleaf(codes.slice(2), fits ? [] : lines, packageLines, this.bottom());
    return this.done();
  }

  smallCard(): Page[] {
    const { codes, lines, packageLines } = this.card;
    this.open();
    this.#title();
    this.#front(codes.slice(0, 1));
    this.#strip();
    // The strip is cut off both sides.
    const bottom = this.bottom() - this.#stripHeight();
    this.open();
    this.runningHead();
    const fits =
      this.y + this.#linesHeight(lines) + this.#adviceHeight() + this.#blanksHeight() <= bottom;
    if (fits) this.#lines(lines, 'The share, to type');
    else this.#overleafNote();
    this.#advice();
    this.y = Math.max(this.y, bottom - this.#blanksHeight());
    this.#blanks();
    this.#overleaf(codes.slice(1), fits ? [] : lines, packageLines, this.bottom());
    return this.done();
  }

  #title(): void {
    const { share, quorum, group, secret, version, date } = this.card;
    const { small, text, heading, title, gap } = this.scale;
    const right = this.left() + this.inner();
    this.y += small;
    this.text(this.left(), this.y, 'SHARE CARD', 'sans-bold', small);
    this.textRight(right, this.y, `conclave ${version}, ${date}`, 'sans', small);
    this.y += small * 0.6;
    this.rule(this.y, 1);
    this.y += title * 1.12;
    this.text(this.left(), this.y, `Share ${share}`, 'sans-bold', title);
    const quorumSize = title * 0.62;
    this.textRight(right, this.y, quorum, 'sans-bold', quorumSize);
    this.y += text * 1.7;
    const room = this.inner() - (group === undefined ? 0 : widthOf(group, 'sans', text) + gap);
    this.text(this.left(), this.y, fit(`of ${secret}`, 'sans', heading, room), 'sans', heading);
    if (group !== undefined) this.textRight(right, this.y, group, 'sans', text);
    this.y += text * 0.8;
    this.banner();
    this.y += gap * 0.6;
  }

  /** One code with the facts beside it, or two codes and the facts below them. */
  #front(codes: readonly CardCode[]): void {
    const { code, gap, text, small } = this.scale;
    const [first, second] = codes;
    const facts = factsOf(this.card);
    this.y += gap * 0.4;
    if (first === undefined) {
      this.#facts(this.left(), this.inner(), facts);
      this.y += gap;
      return;
    }
    const top = this.y + (code / first.matrix.length) * QUIET;
    const below = top + code + (code / first.matrix.length) * QUIET + small * 1.5;
    this.code(first, this.left(), top, code);
    if (second === undefined) {
      const narrow = this.scale.narrow;
      const x = this.left() + code + gap * 2;
      this.y = top - text * 0.4;
      const beside = narrow ? facts.filter(({ short }) => short) : facts;
      this.#facts(x, this.inner() - code - gap * 2, beside, narrow);
      this.y = Math.max(this.y, below);
      if (narrow)
        this.#facts(
          this.left(),
          this.inner(),
          facts.filter(({ short }) => !short),
        );
    } else {
      this.code(second, this.left() + this.inner() - code, top, code);
      this.y = below;
      this.#facts(this.left(), this.inner(), facts);
    }
    this.y += gap;
  }

  #facts(x: number, width: number, facts: readonly Fact[], stacked = false): void {
    const { small, text, mono } = this.scale;
    for (const { label, value, kind } of facts) {
      const indent = stacked ? 0 : this.scale.label;
      const face = kind === 'hex' ? 'mono' : kind === 'name' ? 'sans-bold' : 'sans';
      const size = kind === 'hex' ? mono : text;
      this.y += text * 1.12;
      this.text(x, this.y, label, 'sans', small);
      if (stacked) this.y += text * 1.15;
      if (value === undefined) {
        this.rule(this.y + text * 0.25, 0.5, x + indent, x + width);
        this.y += text * 0.75;
        continue;
      }
      const lines =
        kind === 'hex'
          ? wrapText(
              value,
              face,
              size,
              Math.min(width - indent, widthOf('0000 '.repeat(8), face, size)),
            )
          : wrapText(value, face, size, width - indent);
      lines.forEach((line, i) => {
        if (i > 0) this.y += size * 1.22;
        this.text(x + indent, this.y, line, face, size);
      });
      this.y += text * 0.42;
    }
  }

  #columns(lines: readonly PrintedLine[]): number {
    return lines[0]?.kind === 'words' ? 1 : 2;
  }

  #linesHeight(lines: readonly PrintedLine[]): number {
    const rows = Math.ceil(lines.length / this.#columns(lines));
    return this.headingHeight() + rows * this.scale.lineStep + this.scale.gap;
  }

  /** Numbered lines, downwards and then to the right. */
  #lines(lines: readonly PrintedLine[], title: string): void {
    const { lineMono, lineStep, gap } = this.scale;
    const words = lines[0]?.kind === 'words';
    this.heading(
      title,
      words
        ? 'Type number, words and check. Any order; four letters of a word are enough.'
        : 'Type number and groups, any order. There is no O, I, L: they are 0, 1, 1.',
    );
    const columns = this.#columns(lines);
    const rows = Math.ceil(lines.length / columns);
    const advance = lineMono * 0.6;
    // What is typed must not have anything behind it.
    this.marks.push({
      kind: 'box',
      x: this.left(),
      y: this.y,
      width: this.inner(),
      height: rows * lineStep,
      clears: true,
    });
    lines.forEach((line, i) => {
      const column = Math.floor(i / rows);
      let x = this.left() + (column * (this.inner() + gap)) / columns;
      const y = this.y + ((i % rows) + 1) * lineStep - lineStep * 0.22;
      this.text(x, y, lineNumber(line), 'sans', lineMono * 0.8);
      x += advance * 3.6;
      const cell = words ? 8.8 : 4.8;
      line.groups.slice(0, -1).forEach((group, g) => {
        this.text(x + g * cell * advance, y, group, 'mono', lineMono);
      });
      const check = words ? 5 * cell : 6 * cell;
      this.text(x + (check + 0.7) * advance, y, line.groups.at(-1) ?? '', 'mono-bold', lineMono);
    });
    this.y += rows * lineStep + gap;
  }

  #overleafNote(): void {
    const { text } = this.scale;
    this.y += text;
    const note = 'The lines to type stand on the next page. Keep the pages together.';
    this.text(this.left(), this.y, note, 'sans-bold', text);
    this.y += this.scale.gap;
  }

  #advised(): readonly (Advice & { readonly lines: readonly string[] })[] {
    const { text } = this.scale;
    const width = this.inner() - text * 1.4;
    return adviceOf(this.card).map((each) => ({
      ...each,
      lines: wrapText(each.text, 'sans', text, width),
    }));
  }

  #adviceHeight(): number {
    const { text, gap } = this.scale;
    const all = this.#advised();
    const count = all.reduce(
      (sum, { lines, command }) =>
        sum + lines.length + (command === undefined || this.#fitsBeside(lines, command) ? 0 : 1),
      0,
    );
    return this.headingHeight() + text * (1.24 * count + 0.28 * all.length) + gap * 0.6;
  }

  /** Whether a command has room behind the last line of its advice. */
  #fitsBeside(lines: readonly string[], command: string): boolean {
    const { text } = this.scale;
    const last = widthOf(lines.at(-1) ?? '', 'sans', text) + text * 5;
    return last + widthOf(command, 'mono-bold', text) <= this.inner();
  }

  #advice(): void {
    const { text, gap } = this.scale;
    this.heading('For whoever comes back to this', 'also in ten years');
    this.#advised().forEach(({ lines, command }, i) => {
      lines.forEach((line, l) => {
        this.y += text * 1.24;
        if (l === 0) this.text(this.left(), this.y, String(i + 1), 'sans-bold', text);
        this.text(this.left() + text * 1.4, this.y, line, 'sans', text);
      });
      if (command !== undefined) {
        const last = widthOf(lines.at(-1) ?? '', 'sans', text) + text * 2;
        const beside = this.#fitsBeside(lines, command);
        if (!beside) this.y += text * 1.24;
        const x = this.left() + (beside ? text * 1.4 + last : text * 3);
        this.text(x, this.y, command, 'mono-bold', text);
      }
      this.y += text * 0.28;
    });
    this.y += gap * 0.6;
  }

  #blanksHeight(): number {
    return 2 * this.scale.blank + this.scale.gap;
  }

  #blanks(): void {
    this.blankRow(['Bag no.', 'Seal no.', 'Kept at']);
    this.blankRow(['Custodian', 'Witness', 'Date']);
    this.y += this.scale.gap;
  }

  #stripHeight(): number {
    return this.card.unlock.kind === 'none' ? 0 : this.scale.strip;
  }

  /** What is cut off and goes into another bag. */
  #strip(): void {
    const { unlock, share, setId, mark } = this.card;
    if (unlock.kind === 'none') return;
    const { small, heading, text, strip } = this.scale;
    const top = this.bottom() - strip + small * 1.4;
    this.marks.push({
      kind: 'line',
      from: [0, top],
      to: [this.width, top],
      width: 0.6,
      dashed: true,
    });
    this.text(
      this.left(),
      top - small * 0.4,
      'cut here: the strip goes into another bag',
      'sans',
      small,
    );
    const right = this.left() + this.inner();
    const y = top + heading * 1.5;
    const worthless = mark === undefined ? '' : ` (${mark.split(':')[0] ?? mark})`;
    const title = `Unlock words of share ${share}${worthless}`;
    this.text(this.left(), y, title, 'sans-bold', heading);
    if (setId !== undefined)
      this.textRight(right, y, `set ${grouped(setId.slice(0, 16))}`, 'mono', small);
    const foot = this.bottom() - small * 0.2;
    const bag = 'Bag no.';
    const from = this.left() + this.inner() * 0.62;
    const advice = 'Never keep it beside the card: both together are the share.';
    this.text(this.left(), foot, fit(advice, 'sans', small, from - this.left()), 'sans', small);
    this.text(from, foot, bag, 'sans', small);
    this.rule(foot + 1, 0.5, from + widthOf(bag, 'sans', small) + small * 0.5, right);
    if (unlock.kind === 'printed') {
      const size = text * 1.35;
      const room = this.inner() - size;
      // In columns, so that one word is not taken for two, or two for one.
      wrapText(unlock.words, 'mono-bold', size, room).forEach((line, i) => {
        this.text(this.left() + size * 0.5, y + size * (1.9 + 1.4 * i), line, 'mono-bold', size);
      });
      return;
    }
    const rows = 2;
    const columns = 4;
    const step = (foot - small * 1.6 - y) / rows;
    const width = this.inner() / columns;
    for (let i = 0; i < rows * columns; i++) {
      const x = this.left() + (i % columns) * width;
      const line = y + step * (Math.floor(i / columns) + 1) - small * 0.4;
      this.text(x, line, String(i + 1), 'sans', small);
      this.rule(line + 1, 0.5, x + small * 1.4, x + width - small);
    }
  }

  /** Everything that had no room, on as many pages as it takes. */
  #overleaf(
    codes: readonly CardCode[],
    lines: readonly PrintedLine[],
    packageLines: readonly PrintedLine[],
    bottom: number,
  ): void {
    if (codes.length + lines.length + packageLines.length === 0) return;
    const { code, gap, small } = this.scale;
    this.open();
    this.runningHead();
    const perRow = this.inner() >= 2 * code + gap ? 2 : 1;
    for (let i = 0; i < codes.length; i += perRow) {
      if (this.y + code + small * 2 + 2 * gap > bottom) {
        this.open();
        this.runningHead();
      }
      codes.slice(i, i + perRow).forEach((each, c) => {
        this.code(each, this.left() + c * (this.inner() - code), this.y + gap, code);
      });
      this.y += code + small * 2 + 3 * gap;
    }
    for (const [title, all] of [
      ['The share, to type', lines],
      ['The sealed package, to type', packageLines],
    ] as const) {
      let rest = all;
      while (rest.length > 0) {
        const rows = Math.floor((bottom - this.y - this.headingHeight()) / this.scale.lineStep);
        if (rows < Math.min(6, rest.length / 2)) {
          this.open();
          this.runningHead();
          continue;
        }
        const count = rows * this.#columns(rest);
        this.#lines(rest.slice(0, count), title);
        rest = rest.slice(count);
      }
    }
  }
}
