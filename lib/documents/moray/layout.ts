/** A bucket as Moray knows it: which index each field has, and under which name. */
import type { Declaration } from '../declaration.ts';
import { NotIndexedError } from '../errors.ts';
import type { IndexSpec } from '../store.ts';
import { fieldOf, morayName } from './names.ts';

/** Index of a Moray bucket. */
export interface MorayIndex {
  readonly type: string;
  readonly unique?: boolean;
}

export type MorayIndexes = Readonly<Record<string, MorayIndex>>;

const PREFIX = 'imgapi_';

/** The bucket's name in Moray, which all services of a datacenter share. */
function morayBucket(name: string): string {
  return name.startsWith(PREFIX) ? name : `${PREFIX}${name}`;
}

export class Layout {
  readonly declaration: Declaration;
  /** As the service calls it. */
  readonly name: string;
  /** In Moray. */
  readonly bucket: string;
  readonly fields: readonly (readonly [field: string, spec: IndexSpec])[];
  /** Fields whose index Moray cannot use yet, because it lacks rows. */
  unsettled: ReadonlySet<string> = new Set();

  constructor(declaration: Declaration) {
    this.declaration = declaration;
    this.name = declaration.name;
    this.bucket = morayBucket(declaration.name);
    this.fields = Object.entries(declaration.index);
  }

  /** What Moray is to index. */
  get indexes(): MorayIndexes {
    return Object.fromEntries(this.fields.map(([field, spec]) => [morayName(field), morayIndex(spec)]));
  }

  /** @throws NotIndexedError */
  spec(field: string): IndexSpec {
    const { index } = this.declaration;
    return (Object.hasOwn(index, field) ? index[field] : undefined) ?? this.refuse(field);
  }

  /** @throws NotIndexedError also when the field is an array */
  scalar(field: string): IndexSpec {
    const spec = this.spec(field);
    return spec.array === true ? this.refuse(field) : spec;
  }

  /** @throws NotIndexedError also when the field is no array */
  array(field: string): IndexSpec {
    const spec = this.spec(field);
    return spec.array === true ? spec : this.refuse(field);
  }

  /** @throws NotIndexedError */
  refuse(field: string): never {
    throw new NotIndexedError(this.name, field);
  }

  /** The field behind a column; PostgreSQL writes its columns in lower case. */
  fieldOfColumn(column: string): string {
    const found = this.fields.find(([field]) => morayName(field).toLowerCase() === column.toLowerCase());
    return found?.[0] ?? fieldOf(column);
  }
}

function morayIndex({ type, array, unique }: IndexSpec): MorayIndex {
  return { type: array === true ? `[${type}]` : type, ...(unique === true && { unique: true }) };
}
