/** The options that commands with a table have in common. */

import { closest } from '#lib/text/suggest.ts';
import type { Output } from '../output/output.ts';
import { type Column, formatTable } from '../output/table.ts';
import { usageError } from './errors.ts';
import type { Options } from './options.ts';

export const TABLE_OPTIONS = {
  'no-header': { type: 'flag', short: 'H', help: 'Leave out the header.' },
  columns: { type: 'list', short: 'o', value: 'COL,...', help: 'The columns to show.' },
  sort: {
    type: 'list',
    short: 's',
    value: 'COL,...',
    help: 'Sort by these columns, whether they are shown or not; one with a minus from its greatest value down, as --sort=-size.',
  },
} as const satisfies Options;

export interface TableChoice {
  readonly 'no-header': boolean;
  readonly columns: readonly string[];
  readonly sort: readonly string[];
}

/** By name, as `-o` and `-s` take it. */
export type ColumnSet<Row> = Readonly<Record<string, Column<Row>>>;

/** What is to be printed of rows, and in which order. */
export interface Table<Row> {
  readonly columns: readonly Column<Row>[];
  /** As they are, where no order was asked for. */
  sorted(rows: readonly Row[]): readonly Row[];
}

/** @throws CommandError of usage for an unknown column */
export function chooseColumns<Row>(
  known: ColumnSet<Row>,
  { columns, sort }: Pick<TableChoice, 'columns' | 'sort'>,
  usual: readonly string[],
): Table<Row> {
  const keys = sort.map((given) => {
    const isDown = given.startsWith('-');
    const compare = comparison(columnNamed(known, isDown ? given.slice(1) : given));
    return isDown ? (one: Row, other: Row) => compare(other, one) : compare;
  });
  const compareAll = (one: Row, other: Row): number => {
    for (const compare of keys) {
      const order = compare(one, other);
      if (order !== 0) return order;
    }
    return 0;
  };
  return {
    columns: (columns.length > 0 ? columns : usual).map((name) => columnNamed(known, name)),
    sorted: (rows) => (keys.length > 0 ? rows.toSorted(compareAll) : rows),
  };
}

export function printTable<Row>(
  output: Output,
  table: Table<Row>,
  rows: readonly Row[],
  choice: Pick<TableChoice, 'no-header'>,
): void {
  const options = { header: !choice['no-header'], width: output.width };
  for (const line of formatTable(table.columns, table.sorted(rows), options)) output.line(line);
}

function columnNamed<Row>(known: ColumnSet<Row>, name: string): Column<Row> {
  const column = Object.hasOwn(known, name.toLowerCase()) ? known[name.toLowerCase()] : undefined;
  if (column) return column;
  const meant = closest(name, Object.keys(known));
  const hint = meant === undefined ? `the columns are ${Object.keys(known).join(', ')}` : `did you mean "${meant}"?`;
  throw usageError(`unknown column ${JSON.stringify(name)}; ${hint}`);
}

/** Numbers within texts count as numbers: 1.9.0 is before 1.10.0. */
const TEXTS = new Intl.Collator('en', { numeric: true });

/** What has no value comes first. */
function comparison<Row>({ value, amount }: Column<Row>): (one: Row, other: Row) => number {
  if (amount) return (one, other) => (amount(one) ?? -1) - (amount(other) ?? -1);
  return (one, other) => TEXTS.compare(value(one) ?? '', value(other) ?? '');
}
