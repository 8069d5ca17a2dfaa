/** A process that closes its hashers while their answers lie unread, and then says `closed`. Given `threads`, threads of Node hash. */
import { HashPool } from '#lib/objects/hashing/pool.ts';
import { MIB } from '../../../conformance/objects/harness.ts';

const pool = new HashPool({ inThreads: process.argv[2] === 'threads' });
const hashes = pool.open();
for (let filled = 0; filled < 4 * MIB; ) {
  const block = await hashes.block();
  filled += block.bytes.length;
  hashes.update(block, block.bytes.length);
}
// The threads answer meanwhile, and nobody reads it before they are ended.
const now = new Int32Array(new SharedArrayBuffer(4));
Atomics.wait(now, 0, 0, 500);
await pool.close();
process.stdout.write('closed\n');
