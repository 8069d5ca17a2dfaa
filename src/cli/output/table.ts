/** Tables with aligned columns. */
import { printable } from './printable.ts';
import { padEnd, padStart, textWidth, truncate } from './text-width.ts';

export interface Column<Row> {
  readonly title: string;
  /** Nothing shows as a dash. */
  readonly value: (row: Row) => string | undefined;
  /** By what rows are sorted, where the text would mislead: 900 B are less than 2 KiB. */
  readonly amount?: (row: Row) => number | undefined;
  readonly align?: 'left' | 'right';
  /** Its cells may be cut where the terminal is too narrow for all. */
  readonly shrinks?: boolean;
}

const GAP = '  ';
/** No column becomes narrower by cutting. */
const NARROWEST = 8;

/** Lines. `width` is the terminal's, in columns; without it nothing is cut. */
export function formatTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  options: { readonly header?: boolean; readonly width?: number | undefined } = {},
): string[] {
  const cells = rows.map((row) => columns.map(({ value }) => printable(value(row) || '-')));
  const all = options.header === false ? cells : [columns.map(({ title }) => title), ...cells];
  const natural = columns.map((_, i) => all.reduce((widest, row) => Math.max(widest, textWidth(row[i] ?? '')), 0));
  const widths = options.width === undefined ? natural : narrowed(columns, natural, options.width);
  return all.map((row) => alignRow(columns, row, widths));
}

function alignRow<Row>(columns: readonly Column<Row>[], cells: readonly string[], widths: readonly number[]): string {
  const aligned = cells.map((cell, i) => {
    const width = widths[i] ?? 0;
    const fitting = truncate(cell, width);
    return columns[i]?.align === 'right' ? padStart(fitting, width) : padEnd(fitting, width);
  });
  return aligned.join(GAP).trimEnd();
}

/** Takes what is too much from the widest of the columns that may be cut, again and again. */
function narrowed<Row>(columns: readonly Column<Row>[], natural: readonly number[], width: number): number[] {
  const widths = [...natural];
  const total = (): number => widths.reduce((sum, one) => sum + one, GAP.length * (widths.length - 1));
  const shrinking = [...widths.keys()].filter((i) => columns[i]?.shrinks);
  while (total() > width) {
    const widest = shrinking.reduce<number | undefined>(
      (found, i) => (found === undefined || (widths[i] ?? 0) > (widths[found] ?? 0) ? i : found),
      undefined,
    );
    if (widest === undefined || (widths[widest] ?? 0) <= NARROWEST) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}
