/** A write that is checked and serialized before its transaction begins. */
import { InvalidValueError } from '../errors.ts';
import { type IndexValue, indexValue } from '../index-value.ts';
import { parseDocument } from '../parse-document.ts';
import type { Stored, Write } from '../store.ts';
import type { Layout } from './layout.ts';

export interface PreparedPut {
  readonly op: 'put';
  readonly bucket: string;
  readonly key: string;
  readonly json: string;
  readonly ifEtag: string | null | undefined;
  readonly as: Pick<Stored<object>, 'etag' | 'mtime'> | undefined;
  /** The version of the bucket that `index` was made for. */
  readonly layout: Layout;
  /** By position in `layout.fields`. */
  readonly index: readonly IndexValue[];
}

export interface PreparedDel {
  readonly op: 'del';
  readonly bucket: string;
  readonly key: string;
  readonly ifEtag: string | undefined;
}

export type PreparedWrite = PreparedPut | PreparedDel;

/** @throws InvalidValueError */
export function prepareWrite(write: Write, layout: Layout): PreparedWrite {
  const { key, ifEtag } = write;
  const bucket = write.bucket.name;
  if (write.op === 'del') {
    return { op: 'del', bucket, key, ifEtag: write.ifEtag };
  }
  const json: string | undefined = JSON.stringify(write.value);
  if (json?.[0] !== '{') {
    throw new InvalidValueError(bucket, '_value', 'a JSON object');
  }
  const { as } = write;
  return { op: 'put', bucket, key, json, ifEtag, as, layout, index: indexDocument(layout, write.value) };
}

/** The values of all indexes. @throws InvalidValueError */
function indexDocument(layout: Layout, document: object): IndexValue[] {
  return layout.fields.map(([field, spec]) => {
    const value = Object.hasOwn(document, field) ? Reflect.get(document, field) : undefined;
    return indexValue(layout.bucket, field, spec, value);
  });
}

/** The same write for another version of the bucket, to which a process has upgraded meanwhile. */
export function forLayout(put: PreparedPut, layout: Layout): PreparedPut {
  return put.layout === layout ? put : { ...put, layout, index: indexDocument(layout, parseDocument(put.json)) };
}
