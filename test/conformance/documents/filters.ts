import type { Test } from 'tap';
import type { Filter } from '#lib/documents/store.ts';
import type { Make } from './make.ts';
import { openThings } from './things.ts';

const THINGS = {
  a: { name: 'base', size: 1, open: true, tags: ['os=linux', 'x'], sizes: [1, 2] },
  b: { name: 'Base', size: 2.5, open: false, tags: ['os=bsd'], flags: [false] },
  c: { name: 'ba%e_', size: -3, tags: [], flags: [true, false] },
  d: { name: 'b\\ase', size: 1e15, open: true, tags: ['ö', 'os'] },
  e: {},
};

export async function filterTests(t: Test, make: Make): Promise<void> {
  const { store, bucket, matching } = await openThings(t, make, THINGS);

  const cases: [string, Filter, string][] = [
    ['eq compares texts byte by byte', { op: 'eq', field: 'name', value: 'base' }, 'a'],
    ['eq on numbers', { op: 'eq', field: 'size', value: 2.5 }, 'b'],
    ['eq on booleans', { op: 'eq', field: 'open', value: false }, 'b'],
    ['eq with nothing like it', { op: 'eq', field: 'name', value: 'bas' }, ''],
    ['eq with what no index can hold', { op: 'eq', field: 'name', value: 'base\0' }, ''],
    ['in', { op: 'in', field: 'name', values: ['base', 'Base', 'nobody', 'base'] }, 'ab'],
    ['in with one', { op: 'in', field: 'size', values: [-3] }, 'c'],
    ['in with numbers', { op: 'in', field: 'size', values: [1, 1e15, 7] }, 'ad'],
    ['in with booleans', { op: 'in', field: 'open', values: [true, false] }, 'abd'],
    ['in with none is false', { op: 'in', field: 'name', values: [] }, ''],
    ['in with what no index can hold', { op: 'in', field: 'name', values: ['base\0', '\ud800'] }, ''],
    ['lt', { op: 'lt', field: 'size', value: 1 }, 'c'],
    ['le', { op: 'le', field: 'size', value: 1 }, 'ac'],
    ['gt', { op: 'gt', field: 'size', value: 2.5 }, 'd'],
    ['ge', { op: 'ge', field: 'size', value: 2.5 }, 'bd'],
    ['lt on texts, by bytes', { op: 'lt', field: 'name', value: 'a' }, 'b'],
    ['substring', { op: 'substring', field: 'name', value: 'as' }, 'abd'],
    ['substring tells case', { op: 'substring', field: 'name', value: 'B' }, 'b'],
    ['substring takes % as it is', { op: 'substring', field: 'name', value: '%' }, 'c'],
    ['substring takes _ as it is', { op: 'substring', field: 'name', value: '_' }, 'c'],
    ['substring takes \\ as it is', { op: 'substring', field: 'name', value: '\\' }, 'd'],
    ['an empty substring is in every text', { op: 'substring', field: 'name', value: '' }, 'abcd'],
    ['substring of what no index can hold', { op: 'substring', field: 'name', value: 'a\0' }, ''],
    ['contains', { op: 'contains', field: 'tags', value: 'x' }, 'a'],
    ['contains compares whole elements', { op: 'contains', field: 'tags', value: 'os' }, 'd'],
    ['contains on numbers', { op: 'contains', field: 'sizes', value: 2 }, 'a'],
    ['contains on booleans', { op: 'contains', field: 'flags', value: false }, 'bc'],
    ['containsPrefix', { op: 'containsPrefix', field: 'tags', value: 'os=' }, 'ab'],
    ['containsPrefix finds the prefix itself', { op: 'containsPrefix', field: 'tags', value: 'os' }, 'abd'],
    ['containsPrefix beyond ASCII', { op: 'containsPrefix', field: 'tags', value: 'ö' }, 'd'],
    ['containsPrefix with nothing', { op: 'containsPrefix', field: 'tags', value: '' }, 'abd'],
    ['exists', { op: 'exists', field: 'open' }, 'abd'],
    ['exists is true of an empty array', { op: 'exists', field: 'tags' }, 'abcd'],
    ['not is true where the field is absent', not({ op: 'eq', field: 'open', value: true }), 'bce'],
    ['not contains', not({ op: 'contains', field: 'tags', value: 'x' }), 'bcde'],
    ['not substring', not({ op: 'substring', field: 'name', value: 'as' }), 'ce'],
    ['not lt', not({ op: 'lt', field: 'size', value: 2 }), 'bde'],
    ['not in', not({ op: 'in', field: 'name', values: ['base', 'Base'] }), 'cde'],
    ['not exists', not({ op: 'exists', field: 'open' }), 'ce'],
    ['not not', not(not({ op: 'eq', field: 'open', value: true })), 'ad'],
    ['not of an and with an absent field', not(and(eq('open', true), eq('name', 'base'))), 'bcde'],
    ['not of an or with an absent field', not(or(eq('open', true), eq('name', 'Base'))), 'ce'],
    ['an empty and is true', and(), 'abcde'],
    ['an empty or is false', or(), ''],
    ['not of an empty and', not(and()), ''],
    ['not of an empty or', not(or()), 'abcde'],
    ['and', and(eq('open', true), { op: 'gt', field: 'size', value: 5 }), 'd'],
    ['or', or(eq('name', 'Base'), { op: 'contains', field: 'tags', value: 'ö' }), 'bd'],
    ['and with an or within', and(eq('open', true), or(eq('name', 'base'), eq('name', 'Base'))), 'a'],
    ['or with an empty and', or(eq('name', 'Base'), and()), 'abcde'],
    ['and with an empty or', and(eq('name', 'Base'), or()), ''],
    ['and with an empty and', and(eq('name', 'Base'), and()), 'b'],
  ];
  for (const [name, filter, expected] of cases) {
    await t.test(name, async (t) => {
      t.equal((await matching(filter)).join(''), expected, 'find');
      t.equal(await store.count(bucket, filter), expected.length, 'count');
      const page = await store.find(bucket, { filter, limit: 2 });
      t.equal(page.map(({ key }) => key).join(''), expected.slice(0, 2), 'with a limit');
    });
  }

  await t.test('count without a filter counts all', async (t) => {
    t.equal(await store.count(bucket), 5);
  });

  const notIndexed: [string, Filter][] = [
    ['a field without index', eq('note', 'x')],
    ['a field without index, deep inside', or(eq('name', 'x'), not(and(eq('note', 'x'))))],
    ['a property of every object', eq('constructor', 'x')],
    ['eq on an array', eq('tags', 'x')],
    ['in on an array', { op: 'in', field: 'tags', values: ['x'] }],
    ['a range on an array', { op: 'lt', field: 'tags', value: 'x' }],
    ['a range on a boolean', { op: 'lt', field: 'open', value: true }],
    ['substring on an array', { op: 'substring', field: 'tags', value: 'x' }],
    ['substring on a number', { op: 'substring', field: 'size', value: '1' }],
    ['contains on a scalar', { op: 'contains', field: 'name', value: 'x' }],
    ['containsPrefix on a scalar', { op: 'containsPrefix', field: 'name', value: 'x' }],
    ['containsPrefix on numbers', { op: 'containsPrefix', field: 'sizes', value: '1' }],
    ['exists without index', { op: 'exists', field: 'note' }],
  ];
  for (const [name, filter] of notIndexed) {
    await t.test(`${name} is NotIndexedError, never a scan`, async (t) => {
      await t.rejects(store.find(bucket, { filter }), { name: 'NotIndexedError' });
      await t.rejects(store.count(bucket, filter), { name: 'NotIndexedError' });
    });
  }

  await t.test('a filter value of another type than the index is refused', async (t) => {
    for (const filter of [eq('name', 1), eq('size', '1'), eq('open', 'true'), { ...eq('tags', 1), op: 'contains' }]) {
      await t.rejects(store.find(bucket, { filter: filter as Filter }), { name: 'InvalidValueError' });
    }
  });
}

function eq(field: string, value: string | number | boolean): Filter {
  return { op: 'eq', field, value };
}

function not(of: Filter): Filter {
  return { op: 'not', of };
}

function and(...of: Filter[]): Filter {
  return { op: 'and', of };
}

function or(...of: Filter[]): Filter {
  return { op: 'or', of };
}
