/**
 * A process that stages a session for each name it is sent, answers `staged`, and commits when told `commit`; it then
 * answers how that went.
 */
import { openLocalStore } from '#lib/objects/local/store.ts';
import type { WriteSession } from '#lib/objects/object-store.ts';
import { bytes, pieces } from '../../../conformance/objects/harness.ts';

const [root = ''] = process.argv.slice(2);
const store = await openLocalStore({ root });
let session: WriteSession | undefined;

async function answer(message: { stage: string } | 'commit'): Promise<string> {
  if (message === 'commit') {
    try {
      await session?.commit();
      return 'committed';
    } catch (error) {
      await session?.close();
      return error instanceof Error ? error.name : 'unknown';
    }
  }
  session = await store.open({ path: `race/${message.stage}`, session: message.stage });
  await session.append(pieces(bytes(1000)));
  return 'staged';
}

process.on('message', async (message: { stage: string } | 'commit') => {
  process.send?.(await answer(message));
});
