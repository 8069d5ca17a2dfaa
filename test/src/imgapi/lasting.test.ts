/** What an answer rests on lasts: where the disk fails, asking again does not make what was refused come true. */
import { test } from 'tap';
import { StoreUnavailableError } from '#lib/documents/errors.ts';
import { LogSync } from '#lib/documents/sqlite/log-sync.ts';
import { ALICE } from '../../helpers/accounts.ts';
import { MANIFEST, makeImage } from '../../helpers/images.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { refusal } from '../images/fixture.ts';

test('nobody is told that all is as wanted while the disk has not taken what makes it so', async (t) => {
  const { client } = await startInProcess(t, { databaseType: 'local' });
  const alice = client({ account: ALICE });
  const { image } = await makeImage(alice, {}, { size: 1 });
  const { uuid } = await alice.createImage({ ...MANIFEST, name: 'goes' });
  const { sync } = LogSync.prototype;
  let syncs = 0;
  LogSync.prototype.sync = async () => {
    syncs += 1;
    throw new StoreUnavailableError('the disk failed');
  };
  t.teardown(() => {
    LogSync.prototype.sync = sync;
  });
  const down = { status: 503, code: 'ServiceUnavailable' };
  t.match(await refusal(alice.protectImage(image.uuid)), down);
  t.match(await refusal(alice.protectImage(image.uuid)), down, 'it is protected by what may be lost');
  t.match(await refusal(alice.deleteImage(uuid)), down);
  t.match(await refusal(alice.deleteImage(uuid)), down, 'it is gone by what may be lost');
  t.ok(syncs >= 4);
  LogSync.prototype.sync = sync;
  t.match(await alice.protectImage(image.uuid), { protected: true });
  t.match(await refusal(alice.deleteImage(uuid)), { status: 404, code: 'ResourceNotFound' });
});
