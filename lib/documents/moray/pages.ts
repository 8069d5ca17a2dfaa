/**
 * Lists of any length, page by page, each from the place where the one before it ended. In Moray what lacks the field
 * that sorts comes last going up and first going down, the opposite of what the store promises. So a list is two: of what
 * has the field, and of what has it not; unless a first page has all of it, which is then put in order here.
 */
import type { Query, Stored } from '../store.ts';
import type { MorayCalls, Sort } from './calls.ts';
import { type Condition, compareValues, conditionOf, EVERYTHING, fieldValue, holds, presenceIn } from './condition.ts';
import type { MorayObject } from './connection.ts';
import type { Layout } from './layout.ts';
import { type Asked, all, any, asked, beyond, exactly, filterText, hasField } from './morays-filter.ts';
import { morayName } from './names.ts';
import { fromMoray } from './value.ts';

/** Objects of the first page; later ones have more or fewer, by how long these were. */
const FIRST_PAGE = 250;
const LARGEST_PAGE = 1000;
/** Characters of JSON that a page, and a piece of it, should have. */
const PAGE_CHARACTERS = 2_000_000;
const PIECE_CHARACTERS = 500_000;
const KEY = '_key';

type Order = 'asc' | 'desc';

/** A place in the order: strictly after it. */
interface Place {
  readonly value: unknown;
  readonly key: string;
}

/** A part of a list whose order Moray knows. */
interface Part {
  /** Undefined: by key alone. */
  readonly field: string | undefined;
  readonly order: Order;
  readonly asked: readonly Asked[];
  readonly after: Place | undefined;
}

/** What the first page of a list has. */
interface Start {
  readonly there: readonly Stored<object>[];
  readonly absent: readonly Stored<object>[];
  readonly isWhole: boolean;
}

export class Pages {
  readonly #calls: MorayCalls;
  readonly #layout: Layout;
  readonly #condition: Condition;
  readonly #query: Query;
  readonly #signal: AbortSignal | undefined;
  readonly #asked: Asked;
  #size = FIRST_PAGE;

  /** @throws NotIndexedError, InvalidValueError */
  constructor(calls: MorayCalls, layout: Layout, query: Query, signal: AbortSignal | undefined) {
    this.#calls = calls;
    this.#layout = layout;
    this.#query = query;
    this.#signal = signal;
    this.#condition = query.filter === undefined ? EVERYTHING : conditionOf(layout, query.filter);
    if (query.sort) layout.scalar(query.sort.field);
    this.#asked = asked(this.#condition, layout.unsettled);
    this.#size = Math.min(FIRST_PAGE, this.#limit);
  }

  /** In pieces of which none is empty, up to the limit. */
  async *read(): AsyncGenerator<readonly Stored<object>[], void> {
    let left = this.#limit;
    for await (const found of this.#found()) {
      const taken = found.slice(0, left);
      left -= taken.length;
      yield* pieces(taken);
      if (left === 0) return;
    }
  }

  async count(): Promise<number> {
    if (this.#isNothing) return 0;
    if (!this.#asked.isExact) {
      let count = 0;
      for await (const found of this.#found()) count += found.length;
      return count;
    }
    const [one] = await this.#find(this.#asked, { limit: 1, count: true });
    return one?._count ?? 0;
  }

  get #limit(): number {
    return this.#query.limit ?? Number.POSITIVE_INFINITY;
  }

  get #isNothing(): boolean {
    return this.#condition.kind === 'const' && !this.#condition.value;
  }

  async *#found(): AsyncGenerator<readonly Stored<object>[], void> {
    if (this.#isNothing) return;
    const { sort, after } = this.#query;
    if (sort === undefined) {
      const place = after && { value: undefined, key: after.key };
      yield* this.#part({ field: undefined, order: 'asc', asked: [], after: place });
      return;
    }
    if (this.#layout.unsettled.has(sort.field)) {
      yield await this.#sortedHere(sort.field, sort.order);
      return;
    }
    const { there, absent } = this.#parts(sort.field, sort.order);
    const isUp = sort.order === 'asc';
    if (!there || !absent) {
      const [only] = [there ?? absent].filter((part) => part !== undefined);
      if (only) yield* this.#part(only);
      return;
    }
    // From a place on, one of the two is rarely reached; from the beginning, one page tells most of both.
    const start = after === undefined ? await this.#start(there) : undefined;
    if (start?.isWhole) {
      yield this.#wanted(isUp ? [...start.absent, ...start.there] : [...start.there, ...start.absent]);
      return;
    }
    if (isUp) yield* this.#part(absent);
    yield* this.#part(there, start?.there);
    if (!isUp) yield* this.#part(absent);
  }

  /** Moray cannot sort by an index that is not filled yet; this lasts for minutes, after an upgrade. */
  async #sortedHere(field: string, order: Order): Promise<Stored<object>[]> {
    const found: Stored<object>[] = [];
    for await (const page of this.#part({ field: undefined, order: 'asc', asked: [], after: undefined })) {
      found.push(...page);
    }
    const { after } = this.#query;
    const place = after && { value: after.value ?? undefined, key: after.key };
    return found
      .filter((one) => !place || isBeyond(one, place, field, order))
      .sort((a, b) => (isBeyond(a, placeOf(b, field), field, order) ? 1 : -1));
  }

  /** What lacks the field, and what has it, as far as either is possible. */
  #parts(field: string, order: Order): { readonly there?: Part; readonly absent?: Part } {
    const { after } = this.#query;
    const presence = presenceIn(this.#condition, field);
    const isAfterAbsent = after?.value === null;
    const place = after && { value: after.value ?? undefined, key: after.key };
    const name = morayName(field);
    const mayLack = presence !== true && (after === undefined || isAfterAbsent || order === 'desc');
    const mayHave = presence !== false && (after === undefined || !isAfterAbsent || order === 'asc');
    const absent = {
      field: undefined,
      order,
      asked: [hasField(name, false)],
      after: isAfterAbsent ? place : undefined,
    };
    const there = { field, order, asked: [hasField(name, true)], after: isAfterAbsent ? undefined : place };
    return { ...(mayLack && { absent }), ...(mayHave && { there }) };
  }

  /** The first page in Moray's order: going up, what has the field comes first in it, and going down what lacks it. */
  async #start({ field = '', order }: Part): Promise<Start> {
    const size = this.#size;
    const found = await this.#find(this.#asked, { limit: size, sort: sortBy(field, order) });
    const stored = found.map(fromMoray);
    this.#adapt(stored);
    const isThere = ({ value }: Stored<object>): boolean => fieldValue(value, field) !== undefined;
    const [there, absent] = [stored.filter(isThere), stored.filter((one) => !isThere(one))];
    return { there, absent, isWhole: found.length < size };
  }

  /** @param first what is known of it already: the objects with which it begins */
  async *#part(
    { field, order, asked: conditions, after }: Part,
    first: readonly Stored<object>[] = [],
  ): AsyncGenerator<readonly Stored<object>[], void> {
    const known = this.#wanted(first);
    if (known.length > 0) yield known;
    const end = first.at(-1);
    let place = end ? placeOf(end, field) : after;
    for (;;) {
      const size = this.#size;
      const cursor = place ? [this.#from(place, field, order)] : [];
      const wanted = all([this.#asked, ...conditions, ...cursor]);
      const found = await this.#find(wanted, { limit: size, sort: sortBy(field, order) });
      const stored = found.map(fromMoray).filter((one) => !place || isBeyond(one, place, field, order));
      this.#adapt(stored);
      const last = stored.at(-1);
      if (last) place = placeOf(last, field);
      // Only what lies before the place came back, because Moray could not be asked for less.
      else this.#size = size * 2;
      const fitting = this.#wanted(stored);
      if (fitting.length > 0) yield fitting;
      if (found.length < size) return;
    }
  }

  #wanted(stored: readonly Stored<object>[]): Stored<object>[] {
    return stored.filter(({ value }) => this.#asked.isExact || holds(this.#condition, value));
  }

  #from({ value, key }: Place, field: string | undefined, order: Order): Asked {
    if (field === undefined || value === undefined) return beyond(KEY, order, key);
    const name = morayName(field);
    const scalar = value as string | number | boolean;
    const later = beyond(name, order, scalar);
    const tied = all([exactly(name, scalar), beyond(KEY, order, key)]);
    return any([later, tied]);
  }

  #adapt(stored: readonly Stored<object>[]): void {
    if (stored.length === 0) return;
    const characters = stored.reduce((sum, { value }) => sum + weightOf(value), 0) / stored.length;
    const fitting = Math.ceil(PAGE_CHARACTERS / Math.max(1, characters));
    const largest = Math.min(LARGEST_PAGE, Math.max(FIRST_PAGE, this.#limit));
    this.#size = Math.max(1, Math.min(largest, fitting, this.#size * 4));
  }

  #find(
    wanted: Asked,
    options: { readonly limit: number; readonly count?: boolean; readonly sort?: readonly Sort[] },
  ): Promise<MorayObject[]> {
    return this.#calls.find(this.#layout.bucket, filterText(wanted), options, this.#signal);
  }
}

function sortBy(field: string | undefined, order: Order): Sort[] {
  const attributes = field === undefined ? [KEY] : [morayName(field), KEY];
  return attributes.map((attribute) => ({ attribute, order: order === 'asc' ? 'ASC' : 'DESC' }));
}

function placeOf({ value, key }: Stored<object>, field: string | undefined): Place {
  return { value: field === undefined ? undefined : fieldValue(value, field), key };
}

function isBeyond({ key, value }: Stored<object>, place: Place, field: string | undefined, order: Order): boolean {
  const byValue = field === undefined ? 0 : compareValues(fieldValue(value, field), place.value);
  const difference = byValue || compareValues(key, place.key);
  return order === 'asc' ? difference > 0 : difference < 0;
}

function* pieces(stored: readonly Stored<object>[]): Generator<readonly Stored<object>[], void> {
  let piece: Stored<object>[] = [];
  let characters = 0;
  for (const one of stored) {
    piece.push(one);
    characters += weightOf(one.value);
    if (characters < PIECE_CHARACTERS) continue;
    yield piece;
    piece = [];
    characters = 0;
  }
  if (piece.length > 0) yield piece;
}

/** About as many as its JSON has characters. */
function weightOf(value: unknown): number {
  if (typeof value === 'string') return value.length + 4;
  if (typeof value !== 'object' || value === null) return 8;
  return Object.entries(value).reduce((sum, [name, part]) => sum + name.length + weightOf(part), 8);
}
