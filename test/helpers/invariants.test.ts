import { randomUUID } from 'node:crypto';
import { test } from 'tap';
import type { ImageRecord } from '#lib/manifest/record.ts';
import { unkept } from '#src/images/deleted/kept.ts';
import { tombstone } from '#src/images/record/tombstones.ts';
import { ALICE } from './accounts.ts';
import { promisedFiles, settled } from './invariants.ts';
import { unactivatedRecord } from './records.ts';

test('a file can be read as long as its image is there, deleted or not begun it cannot', (t) => {
  const file = { sha1: 'a'.repeat(40), size: 1, compression: 'none', stor: 'local' } as const;
  const image = (fields: Partial<ImageRecord> = {}): ImageRecord =>
    unactivatedRecord(randomUUID(), ALICE, { files: [file], ...fields });
  const active = image({ state: 'active', activated: true });
  const { files: _, ...record } = image();
  const kept: ImageRecord = { ...tombstone(image()), kept: { deleted_at: new Date(0).toISOString(), record } };
  // Its time is over, and its bytes are about to go: it has its file in its record, and nothing of what was kept.
  const purged = unkept(kept);
  t.equal(purged.kept, undefined);
  t.strictSame(promisedFiles([active, image({ files: [] }), kept, purged, tombstone(image())]), [
    { uuid: active.uuid, owner: ALICE, file },
  ]);
  t.end();
});

test('what cannot be looked at is looked at again, and is told if that stays so', async (t) => {
  let looks = 0;
  const complaints = async (): Promise<string[]> => {
    looks += 1;
    if (looks === 1) return ['a folder that is being removed'];
    if (looks === 2) throw new Error('it went while it was listed');
    return [];
  };
  t.same(await settled(complaints), []);
  const never = async (): Promise<string[]> => Promise.reject(new Error('no answer'));
  t.same(await settled(never, 0), ['cannot be looked at: Error: no answer']);
});
