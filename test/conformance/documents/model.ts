/** Compares random queries of random things with a model that follows the docstrings as literally as possible. */
import type { Test } from 'tap';
import type { Filter, Query, Scalar } from '#lib/documents/store.ts';
import type { Make } from './make.ts';
import { openThings, THING_INDEX, type Thing } from './things.ts';

type Field = keyof typeof THING_INDEX;
const SCALARS = ['name', 'size', 'open', 'code'] as const;
const ARRAYS = ['tags', 'sizes', 'flags'] as const;
const TEXTS = ['', 'a', 'A', 'ab', 'b%', '_', 'ä', '𝄞', '\ufffd', '\u{10ffff}', '\u{10ffff}a', '\ud7ff', '\ud7ffx'];
const NUMBERS = [-1.5, 0, 1, 2, 1e15];

export async function modelTests(t: Test, make: Make): Promise<void> {
  await t.test('random queries agree with a model', async (t) => {
    const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
    t.comment(`SEED=${seed}`);
    const random = randomSource(seed);
    const things = new Map(Array.from({ length: 60 }, (_, i) => [`k${i}`, randomThing(random, i)]));
    const { store, bucket, put, keys } = await openThings(t, make);
    await put(Object.fromEntries(things));
    // Writes half of them again, to test updates of the indexes too.
    for (let i = 0; i < 30; i += 1) {
      things.set(`k${i}`, randomThing(random, i));
    }
    await put(Object.fromEntries([...things].slice(0, 30)));

    for (let i = 0; i < 600; i += 1) {
      const filter = randomFilter(random, 3);
      const query = randomQuery(random, filter, things);
      const expected = answer(query, things);
      const found = await keys(query);
      const count = await store.count(bucket, filter);
      const matching = [...things.values()].filter((thing) => matches(filter, thing)).length;
      if (found.join() !== expected.join() || count !== matching) {
        t.strictSame(found, expected, JSON.stringify(query));
        t.equal(count, matching, JSON.stringify(filter));
        return;
      }
    }
    t.pass('600 queries');
  });
}

type Random = (below: number) => number;

/** A seeded generator (mulberry32), so that a failure can be repeated. */
function randomSource(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

function pick<T>(random: Random, from: readonly T[]): T {
  return from[random(from.length)] as T;
}

function randomScalar(random: Random, field: Field): Scalar {
  const { type } = THING_INDEX[field];
  return type === 'string' ? pick(random, TEXTS) : type === 'number' ? pick(random, NUMBERS) : random(2) === 0;
}

function randomThing(random: Random, i: number): Thing {
  const thing: Record<string, unknown> = random(3) === 0 ? {} : { code: `code${i}` };
  for (const field of ['name', 'size', 'open'] as const) {
    if (random(4) > 0) {
      thing[field] = randomScalar(random, field);
    }
  }
  for (const field of ARRAYS) {
    if (random(4) > 0) {
      thing[field] = Array.from({ length: random(4) }, () => randomScalar(random, field));
    }
  }
  return thing;
}

function randomFilter(random: Random, depth: number): Filter {
  if (depth > 0 && random(2) === 0) {
    const op = pick(random, ['and', 'or', 'not'] as const);
    return op === 'not'
      ? { op, of: randomFilter(random, depth - 1) }
      : { op, of: Array.from({ length: random(4) }, () => randomFilter(random, depth - 1)) };
  }
  const scalar = pick(random, SCALARS);
  const array = pick(random, ARRAYS);
  return pick(random, [
    { op: 'eq', field: scalar, value: randomScalar(random, scalar) },
    { op: 'in', field: scalar, values: Array.from({ length: random(4) }, () => randomScalar(random, scalar)) },
    { op: pick(random, ['lt', 'le'] as const), field: 'size', value: pick(random, NUMBERS) },
    { op: pick(random, ['gt', 'ge'] as const), field: 'name', value: pick(random, TEXTS) },
    { op: 'substring', field: 'name', value: pick(random, TEXTS) },
    { op: 'contains', field: array, value: randomScalar(random, array) },
    { op: 'containsPrefix', field: 'tags', value: pick(random, TEXTS) },
    { op: 'exists', field: pick(random, [scalar, array]) },
  ] satisfies Filter[]);
}

function randomQuery(random: Random, filter: Filter, things: ReadonlyMap<string, Thing>): Query {
  const field = pick(random, SCALARS);
  const sort = random(4) === 0 ? undefined : { field, order: pick(random, ['asc', 'desc'] as const) };
  const limit = random(2) === 0 ? undefined : 1 + random(10);
  const [key, thing] = pick(random, [...things]);
  const value = sort === undefined ? null : ((thing[field] ?? null) as Scalar | null);
  return { filter, sort, limit, after: random(2) === 0 ? undefined : { key, value } };
}

function answer({ filter, sort, after, limit }: Query, things: ReadonlyMap<string, Thing>): string[] {
  const value = (thing: Thing) => ((sort && thing[sort.field as Field]) ?? null) as Scalar | null;
  const sign = sort?.order === 'desc' ? -1 : 1;
  const compare = (a: readonly [Scalar | null, string], b: readonly [Scalar | null, string]) =>
    sign * (compareValues(a[0], b[0]) || compareValues(a[1], b[1]));
  return [...things]
    .filter(([, thing]) => filter === undefined || matches(filter, thing))
    .map(([key, thing]) => [value(thing), key] as const)
    .filter((place) => after === undefined || compare(place, [after.value, after.key]) > 0)
    .sort(compare)
    .map(([, key]) => key)
    .slice(0, limit);
}

function compareValues(a: Scalar | null, b: Scalar | null): number {
  if (a === null || b === null) {
    return Number(a !== null) - Number(b !== null);
  }
  if (typeof a === 'string' && typeof b === 'string') {
    return Buffer.compare(Buffer.from(a), Buffer.from(b));
  }
  return Number(a) - Number(b);
}

function matches(filter: Filter, thing: Thing): boolean {
  switch (filter.op) {
    case 'and':
      return filter.of.every((part) => matches(part, thing));
    case 'or':
      return filter.of.some((part) => matches(part, thing));
    case 'not':
      return !matches(filter.of, thing);
    default:
      return matchesField(filter, thing);
  }
}

function matchesField(filter: Extract<Filter, { field: string }>, thing: Thing): boolean {
  const value = thing[filter.field as Field];
  if (value === undefined) {
    return false;
  }
  switch (filter.op) {
    case 'exists':
      return true;
    case 'eq':
      return value === filter.value;
    case 'in':
      return filter.values.includes(value as Scalar);
    case 'contains':
      return (value as Scalar[]).includes(filter.value);
    case 'containsPrefix':
      return (value as string[]).some((element) => element.startsWith(filter.value));
    case 'substring':
      return (value as string).includes(filter.value);
    case 'lt':
      return compareValues(value as Scalar, filter.value) < 0;
    case 'le':
      return compareValues(value as Scalar, filter.value) <= 0;
    case 'gt':
      return compareValues(value as Scalar, filter.value) > 0;
    case 'ge':
      return compareValues(value as Scalar, filter.value) >= 0;
  }
}
