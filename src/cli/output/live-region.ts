/** Lines at the end of a terminal that are redrawn in place. */
import type { Output } from './output.ts';

const CLEAR_LINE = '\u001b[2K';
const CLEAR_BELOW = '\u001b[J';

export class LiveRegion {
  readonly #output: Output;
  #lines: readonly string[] = [];

  constructor(output: Output) {
    this.#output = output;
  }

  /** No line may be wider than the terminal, nor may there be more of them than it has rows. */
  draw(lines: readonly string[]): void {
    const text = lines.map((line) => `${CLEAR_LINE}${line}\n`).join('');
    this.#output.control(`${this.#toTop()}${text}${CLEAR_BELOW}`);
    this.#lines = lines;
  }

  /** A line above, that stays. */
  note(text: string): void {
    const lines = this.#lines;
    this.#output.control(`${this.#toTop()}${CLEAR_BELOW}`);
    this.#lines = [];
    this.#output.note(text);
    this.draw(lines);
  }

  #toTop(): string {
    return this.#lines.length === 0 ? '\r' : `\r\u001b[${this.#lines.length}A`;
  }
}
