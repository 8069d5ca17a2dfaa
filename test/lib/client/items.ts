/** Answers that come in pieces of a size. */
import { Readable } from 'node:stream';
import { ByteStream } from '#lib/client/byte-stream.ts';
import { readJsonItems } from '#lib/client/json-items.ts';

/** The items of an answer, however long it is, that comes in pieces of `size` bytes. */
export async function itemsOf(bytes: Buffer, size: number): Promise<unknown[]> {
  const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
    bytes.subarray(i * size, (i + 1) * size),
  );
  const body = new ByteStream(Readable.from(pieces), { url: 'http://x/images', idleTimeout: 0 });
  const items: unknown[] = [];
  for await (const some of readJsonItems({ status: 200, headers: {}, url: 'http://x/images', body })) {
    if (some.length === 0) throw new Error('an empty bit');
    items.push(...some);
  }
  return items;
}
