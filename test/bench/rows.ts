/** The rows of a document by table, as an engine that speaks SQL would write them: for filling tables at once. */
import { type IndexValue, indexValue } from '#lib/documents/index-value.ts';
import type { Layout } from '#lib/documents/sql/layout.ts';
import type { Scalar } from '#lib/documents/store.ts';
import type { ImageRecord } from '#lib/manifest/record.ts';
import { imageOf, namesOf } from './many-images.ts';

export interface Document {
  readonly id: number;
  readonly key: string;
  readonly etag: string;
  readonly value: Readonly<Record<string, unknown>>;
}

export type Row = readonly (Scalar | null)[];

/** Makes the documents of so many images. */
export function imageDocuments(count: number): (index: number) => Document {
  const names = namesOf(count);
  return (index) => documentOf(imageOf(index, names), index);
}

function documentOf(value: ImageRecord, index: number): Document {
  return { id: index + 1, key: value.uuid, etag: `bench.${index.toString(36)}`, value: { ...value } };
}

/** Each row with its cells in the order of the table's columns. */
export function rowsOf(layout: Layout, { id, key, etag, value }: Document): ReadonlyMap<string, readonly Row[]> {
  const indexed = new Map(
    layout.fields.map(([field, spec]) => [field, indexValue(layout.bucket, field, spec, value[field])]),
  );
  const columns = layout.fields.map(([field]) => columnOf(indexed.get(field) ?? null));
  const mtime = Date.UTC(2021, 0, 1);
  const rows = new Map<string, readonly Row[]>([
    [layout.table, [[id, key, etag, mtime, ...columns]]],
    [layout.values, [[id, JSON.stringify(value)]]],
  ]);
  for (const [field] of layout.arrays) {
    const orders = layout.orders(field).map((scalar) => columnOf(indexed.get(scalar) ?? null));
    const beside = orders.length > 0 ? [key, ...orders] : [];
    const elements = (indexed.get(field) ?? []) as readonly Scalar[];
    rows.set(
      layout.elements(field),
      elements.map((element) => [element, id, ...beside]),
    );
  }
  return rows;
}

function columnOf(value: IndexValue): Scalar | null {
  return value !== null && typeof value === 'object' ? value.length : value;
}
