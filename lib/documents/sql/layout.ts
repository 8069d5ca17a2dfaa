/**
 * How a bucket is stored in a relational database.
 *
 * Each version of a declaration has its own tables, `BUCKET$VERSION`. A statement for a version that another process has
 * replaced therefore fails, instead of reading columns that have changed their meaning. A row holds the key, the etag,
 * the time and the indexed fields. The documents are in a separate table, so that scanning rows does not pull documents
 * through memory. An array field has a table of its elements. That table also holds the key and the scalars that are
 * declared together with the array, so that one index finds the objects that contain a value, in the order of the scalar.
 */
import type { Declaration } from '../declaration.ts';
import { NotIndexedError } from '../errors.ts';
import type { IndexSpec } from '../store.ts';

export class Layout {
  readonly declaration: Declaration;
  readonly bucket: string;
  /** The rows: `id`, `key`, `etag`, `mtime` and a column per index. */
  readonly table: string;
  /** The documents: `id`, `value`. */
  readonly values: string;
  readonly fields: readonly (readonly [field: string, spec: IndexSpec])[];
  /** By array field: the scalars in whose order its elements are indexed. */
  readonly #orders = new Map<string, readonly string[]>();

  readonly #identifier: (name: string) => string;
  readonly #prefix: string;

  /** @param identifier see {@link SqlDialect} */
  constructor(declaration: Declaration, identifier: (name: string) => string) {
    this.declaration = declaration;
    this.#identifier = identifier;
    this.#prefix = `${declaration.name}$${declaration.version}`;
    this.bucket = declaration.name;
    this.table = identifier(this.#prefix);
    this.values = identifier(`${this.#prefix}$$values`);
    this.fields = Object.entries(declaration.index);
    for (const [field, scalar] of declaration.together ?? []) {
      if (field !== undefined && scalar !== undefined && declaration.index[field]?.array === true) {
        this.#orders.set(field, [...new Set([...this.orders(field), scalar])]);
      }
    }
  }

  /** The column of an index: the value of a scalar, the number of distinct elements of an array. */
  column(field: string): string {
    return `i_${field}`;
  }

  /** The index on a field, or on several that are declared together (`a$b`); of the key, without a name. */
  index(name: string): string {
    return this.#identifier(`${this.#prefix}$$by$${name}`);
  }

  /** The table with the elements of an array field: `value`, `id`, and what {@link orders} asks for. */
  elements(field: string): string {
    return this.#identifier(`${this.#prefix}$${field}`);
  }

  /** All tables of the bucket. */
  get tables(): readonly string[] {
    return [this.table, this.values, ...this.arrays.map(([field]) => this.elements(field))];
  }

  /** An index on the elements of an array field. */
  elementsIndex(field: string, name: string): string {
    return this.#identifier(`${this.#prefix}$${field}$$${name}`);
  }

  /** The scalars in whose order an array's elements are indexed; if any, their table has an `object_key` too. */
  orders(field: string): readonly string[] {
    return this.#orders.get(field) ?? [];
  }

  /** The column of such a scalar in a table of elements. */
  orderColumn(scalar: string): string {
    return `o_${scalar}`;
  }

  get arrays(): readonly (readonly [field: string, spec: IndexSpec])[] {
    return this.fields.filter(([, spec]) => spec.array === true);
  }

  /** @throws NotIndexedError */
  spec(field: string): IndexSpec {
    const { index } = this.declaration;
    const spec = Object.hasOwn(index, field) ? index[field] : undefined;
    if (spec === undefined) {
      throw new NotIndexedError(this.bucket, field);
    }
    return spec;
  }

  /** @throws NotIndexedError also when the field is an array */
  scalar(field: string): IndexSpec {
    const spec = this.spec(field);
    if (spec.array === true) {
      throw new NotIndexedError(this.bucket, field);
    }
    return spec;
  }
}
