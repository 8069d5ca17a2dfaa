/** Compares all objects of a bucket in two stores. */
import { createHash, type Hash } from 'node:crypto';
import type { Bucket, Store } from '../store.ts';
import { sideBySide } from './side-by-side.ts';

/** The stores differ although nobody may write to them. */
export class DifferentError extends Error {
  override readonly name = 'DifferentError';
}

export interface Same {
  readonly objects: number;
  /** Hex SHA-256 of the keys and canonical values, in the order of the keys. */
  readonly digest: string;
}

/** @throws DifferentError that names the first object that differs */
export async function assertSame(source: Store, target: Store, bucket: Bucket, signal: AbortSignal): Promise<Same> {
  const digest = createHash('sha256');
  let objects = 0;
  for await (const pairs of sideBySide(source, target, bucket, signal)) {
    for (const pair of pairs) {
      const [ours, theirs] = [pair.source, pair.target].map((one) => one && canonical(one.value));
      if (ours === undefined || ours !== theirs) throw different(bucket, pair.key, ours, theirs);
      add(digest, pair.key, ours);
      objects += 1;
    }
  }
  return { objects, digest: digest.digest('hex') };
}

function add(digest: Hash, key: string, value: string): void {
  digest.update(`${JSON.stringify(key)} ${value}\n`);
}

function different(bucket: Bucket, key: string, ours: unknown, theirs: unknown): DifferentError {
  const how = theirs === undefined ? 'is missing' : ours === undefined ? 'is too many' : 'has another value';
  return new DifferentError(`${bucket.name}::${key} ${how} in the new store`);
}

/** JSON in which the order of fields is always the same. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}
