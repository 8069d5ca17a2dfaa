/** Tables with aligned columns. */
import { printable } from './printable.ts';
import { padEnd, padStart, textWidth } from './text-width.ts';

export interface Column<Row> {
  readonly title: string;
  /** Nothing shows as a dash. */
  readonly value: (row: Row) => string | undefined;
  readonly align?: 'left' | 'right';
}

const GAP = '  ';

/** Lines. */
export function formatTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  options: { readonly header?: boolean } = {},
): string[] {
  const cells = rows.map((row) => columns.map(({ value }) => printable(value(row) || '-')));
  const all = options.header === false ? cells : [columns.map(({ title }) => title), ...cells];
  const widths = columns.map((_, i) => Math.max(0, ...all.map((row) => textWidth(row[i] ?? ''))));
  return all.map((row) => alignRow(columns, row, widths));
}

function alignRow<Row>(columns: readonly Column<Row>[], cells: readonly string[], widths: readonly number[]): string {
  const aligned = cells.map((cell, i) => {
    const width = widths[i] ?? 0;
    return columns[i]?.align === 'right' ? padStart(cell, width) : padEnd(cell, width);
  });
  return aligned.join(GAP).trimEnd();
}
