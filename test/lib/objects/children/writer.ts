/**
 * A process that writes to a session until it is killed: `writer.ts ROOT SESSION SEED`. It prints the size after each
 * flush.
 */
import { openLocalStore } from '#lib/objects/local/store.ts';
import { bytes, MIB, pieces } from '../../../conformance/objects/harness.ts';

const [root = '', session = '', seed = '1'] = process.argv.slice(2);
const store = await openLocalStore({ root });
const writing = await store.open({ path: 'x', session });
const piece = bytes(MIB, Number(seed));
for (;;) {
  await writing.append(pieces(piece));
  process.stdout.write(`${await writing.flush()}\n`);
}
