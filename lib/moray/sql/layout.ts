/**
 * How a bucket lies in a relational database.
 *
 * Each version of a declaration has tables of its own, `BUCKET$VERSION`: a statement that was made for a version that
 * another process has replaced fails instead of answering from columns that mean something else by now. A row holds
 * the key, the etag, the time and the indexed fields; the documents lie beside it in a table of their own, so that
 * walking over rows does not drag the documents through memory. An array field has a table of its elements.
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

  constructor(declaration: Declaration) {
    this.declaration = declaration;
    this.bucket = declaration.name;
    this.table = `${declaration.name}$${declaration.version}`;
    this.values = `${this.table}$$values`;
    this.fields = Object.entries(declaration.index);
  }

  /** The column of an index: the value of a scalar, the number of distinct elements of an array. */
  column(field: string): string {
    return `i_${field}`;
  }

  /** The table with the elements of an array field: `value`, `id`. */
  elements(field: string): string {
    return `${this.table}$${field}`;
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
