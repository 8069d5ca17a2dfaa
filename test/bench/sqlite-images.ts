/** Puts images straight into the database of a server that does not run, and has run before. */
import { join } from 'node:path';
import { openSqliteStore } from '#lib/documents/sqlite/store.ts';
import { IMAGES } from '#lib/manifest/record.ts';
import { BUCKETS } from '#src/buckets.ts';
import { ARCHIVED } from '#src/images/files/archive.ts';
import { imageOf } from './many-images.ts';

const AT_ONCE = 500;

export async function fillSqlite(dataDir: string, count: number): Promise<void> {
  const store = await openSqliteStore({ path: join(dataDir, 'imgapi.db') });
  await store.open(BUCKETS);
  for (let first = 0; first < count; first += AT_ONCE) {
    const images = Array.from({ length: Math.min(AT_ONCE, count - first) }, (_, index) => imageOf(first + index));
    const etags = await store.batch(
      images.map((value) => ({ op: 'put', bucket: IMAGES, key: value.uuid, value, ifEtag: null })),
    );
    // As images that have been there for a while: or the server would be busy with archiving them.
    await store.batch(
      images.map(({ uuid: key }, at) => ({ op: 'put', bucket: ARCHIVED, key, value: { etag: etags[at] } })),
    );
  }
  await store.close();
}
