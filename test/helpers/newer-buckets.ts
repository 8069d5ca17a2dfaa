/** Loaded before a server's own code: it is then of a later version, in which every bucket has one more index. */
import { BUCKETS } from '#src/buckets.ts';

for (const bucket of BUCKETS) {
  const { version, index } = bucket;
  Object.assign(bucket, { version: version + 1, index: { ...index, from_the_future: { type: 'string' } } });
}
