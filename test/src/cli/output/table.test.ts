import { test } from 'tap';
import { type ColumnSet, chooseColumns } from '#src/cli/framework/table-options.ts';
import { type Column, formatTable } from '#src/cli/output/table.ts';

interface Plant {
  readonly name: string;
  readonly height?: string;
}

const NAME: Column<Plant> = { title: 'NAME', value: ({ name }) => name };
const HEIGHT: Column<Plant> = { title: 'HEIGHT', align: 'right', value: ({ height }) => height };
const PLANTS: readonly Plant[] = [
  { name: 'fern', height: '40 cm' },
  { name: 'sunflower', height: '3 m' },
  { name: '' },
];

function choose(known: ColumnSet<Plant>, columns: readonly string[], usual: readonly string[]) {
  return chooseColumns(known, { columns, sort: [] }, usual);
}

test('columns are aligned, nothing is a dash, no line ends in blanks', async (t) => {
  t.strictSame(formatTable([NAME, HEIGHT], PLANTS), [
    'NAME       HEIGHT',
    'fern        40 cm',
    'sunflower     3 m',
    '-               -',
  ]);
  t.strictSame(formatTable([HEIGHT, NAME], PLANTS, { header: false }), ['40 cm  fern', '  3 m  sunflower', '    -  -']);
});

test('wide characters keep the columns straight', async (t) => {
  t.strictSame(formatTable([NAME, HEIGHT], [{ name: '日本', height: '1' }], { header: false }), ['日本  1']);
});

test('a cell is one line, whatever it holds', async (t) => {
  t.strictSame(formatTable([NAME], [{ name: 'a\nb\u001b[0m' }], { header: false }), ['a b\\u{1b}[0m']);
});

test('without rows only the header is left', async (t) => {
  t.strictSame(formatTable([NAME, HEIGHT], []), ['NAME  HEIGHT']);
  t.strictSame(formatTable([NAME, HEIGHT], [], { header: false }), []);
});

test('columns are chosen by name, in any case, in the order asked for', async (t) => {
  const known = { name: NAME, height: HEIGHT };
  t.strictSame(choose(known, ['HEIGHT', 'name'], ['name']).columns, [HEIGHT, NAME]);
  t.strictSame(choose(known, [], ['name']).columns, [NAME]);
});

test('a column that there is not is named, with the one that was meant', async (t) => {
  const known = { name: NAME, height: HEIGHT };
  t.throws(() => choose(known, ['hight'], []), { message: 'unknown column "hight"; did you mean "height"?' });
  t.throws(() => choose(known, ['x'], []), { message: 'unknown column "x"; the columns are name, height' });
  t.throws(() => choose(known, ['constructor'], []), { code: 'Usage' });
});

test('rows are sorted by any column, texts with numbers by the numbers, amounts by what they amount to', async (t) => {
  const amount = ({ height }: Plant): number | undefined => ({ '40 cm': 0.4, '3 m': 3 })[height ?? ''];
  const known = { name: NAME, height: { ...HEIGHT, amount } };
  const rows: readonly Plant[] = [{ name: 'b-10' }, { name: 'b-9', height: '3 m' }, { name: 'a', height: '40 cm' }];
  const sorted = (...sort: readonly string[]) =>
    chooseColumns(known, { columns: [], sort }, ['name'])
      .sorted(rows)
      .map(({ name }) => name);
  t.strictSame(sorted(), ['b-10', 'b-9', 'a']);
  t.strictSame(sorted('NAME'), ['a', 'b-9', 'b-10']);
  t.strictSame(sorted('-name'), ['b-10', 'b-9', 'a']);
  t.strictSame(sorted('height'), ['b-10', 'a', 'b-9'], 'what has none comes first');
  t.strictSame(sorted('-height', 'name'), ['b-9', 'a', 'b-10']);
  t.throws(() => sorted('-nam'), { message: 'unknown column "nam"; did you mean "name"?' });
});

test('columns that may shrink are cut to the width, the widest first, and never below what can be told apart', async (t) => {
  const long: Column<Plant> = { ...NAME, shrinks: true };
  const rows = [{ name: 'a-very-long-sunflower', height: '40 cm' }];
  t.strictSame(formatTable([long, HEIGHT], rows, { header: false, width: 20 }), ['a-very-long-…  40 cm']);
  t.strictSame(formatTable([long, HEIGHT], rows, { header: false, width: 5 }), ['a-very-…  40 cm']);
  t.strictSame(formatTable([NAME, HEIGHT], rows, { header: false, width: 5 }), ['a-very-long-sunflower  40 cm']);
});
