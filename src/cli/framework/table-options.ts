/** The options that commands with a table have in common. */

import type { Output } from '../output/output.ts';
import { type Column, formatTable } from '../output/table.ts';
import { usageError } from './errors.ts';
import type { Options } from './options.ts';
import { closest } from './suggest.ts';

export const TABLE_OPTIONS = {
  'no-header': { type: 'flag', short: 'H', help: 'Leave out the header.' },
  columns: { type: 'list', short: 'o', value: 'COL,...', help: 'The columns to show.' },
} as const satisfies Options;

export interface TableChoice {
  readonly 'no-header': boolean;
  readonly columns: readonly string[];
}

/** By name, as `-o` takes it. */
export type ColumnSet<Row> = Readonly<Record<string, Column<Row>>>;

/** @throws CommandError of usage for an unknown column */
export function chooseColumns<Row>(
  known: ColumnSet<Row>,
  asked: readonly string[],
  usual: readonly string[],
): Column<Row>[] {
  const names = asked.length > 0 ? asked : usual;
  return names.map((name) => {
    const column = Object.hasOwn(known, name.toLowerCase()) ? known[name.toLowerCase()] : undefined;
    if (column) return column;
    const meant = closest(name, Object.keys(known));
    const hint = meant === undefined ? `the columns are ${Object.keys(known).join(', ')}` : `did you mean "${meant}"?`;
    throw usageError(`unknown column ${JSON.stringify(name)}; ${hint}`);
  });
}

export function printTable<Row>(
  output: Output,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  choice: Pick<TableChoice, 'no-header'>,
): void {
  const options = { header: !choice['no-header'], width: output.width };
  for (const line of formatTable(columns, rows, options)) output.line(line);
}
