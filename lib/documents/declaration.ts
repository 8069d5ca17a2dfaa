/** Checks bucket declarations, so that programming mistakes show when the service starts. */
import type { Bucket } from './store.ts';

const BUCKET_NAME = /^[a-z][a-z0-9_]{0,39}$/;
const FIELD_NAME = /^[A-Za-z][A-Za-z0-9_]{0,39}$/;

/** The part of a bucket that a backend stores. */
export type Declaration = Pick<Bucket, 'name' | 'version' | 'index' | 'together'>;

/** @throws TypeError when some backend could not support the declaration */
export function checkDeclaration(bucket: Declaration): void {
  const fail = (what: string): never => {
    throw new TypeError(`bucket ${JSON.stringify(bucket.name)}: ${what}`);
  };
  if (!BUCKET_NAME.test(bucket.name)) {
    fail('the name must be 1 to 40 lower-case letters, digits and _, starting with a letter');
  }
  if (!Number.isSafeInteger(bucket.version) || bucket.version < 1) {
    fail('the version must be a positive integer');
  }
  // Column names are not case-sensitive.
  const seen = new Set<string>();
  for (const [field, spec] of Object.entries(bucket.index)) {
    if (!FIELD_NAME.test(field)) {
      fail(`the field ${JSON.stringify(field)} must be 1 to 40 letters, digits and _, starting with a letter`);
    }
    if (seen.has(field.toLowerCase())) {
      fail(`two fields are called ${JSON.stringify(field)}, if case is ignored`);
    }
    seen.add(field.toLowerCase());
    if (spec.sparse === true && (spec.array === true || spec.unique === true)) {
      fail(`${JSON.stringify(field)} cannot be sparse, being an array or unique`);
    }
    if (spec.array === true && spec.unique === true) fail(`the array ${JSON.stringify(field)} cannot be unique`);
  }
  for (const fields of bucket.together ?? []) {
    fields.forEach((field, at) => {
      const spec = bucket.index[field];
      const isLeadingArray = spec?.array === true && at === 0 && fields.length === 2;
      if (spec === undefined || (spec.array === true && !isLeadingArray)) {
        fail(`${JSON.stringify(field)} in "together" is neither a scalar index nor an array followed by one scalar`);
      }
    });
  }
}

/** Whether two declarations ask for the same indexes; hints do not count. */
export function sameIndexes(a: Declaration, b: Declaration): boolean {
  const normal = ({ index }: Declaration) =>
    JSON.stringify(
      Object.keys(index)
        .sort()
        .map((field) => [field, index[field]?.type, index[field]?.array === true, index[field]?.unique === true]),
    );
  return normal(a) === normal(b);
}
