/** The model finds what is not as it was acknowledged: else torture would find nothing either. */
import { test } from 'tap';
import { imageObjectPath } from '#lib/manifest/object-paths.ts';
import { ALICE } from '../helpers/accounts.ts';
import { makeImage } from '../helpers/images.ts';
import { startInProcess } from '../helpers/imgapi.ts';
import { type Known, Model } from './model.ts';

test('what was acknowledged and is not there, or is otherwise, is told', async (t) => {
  const { imgapi, client } = await startInProcess(t);
  const alice = client({ account: ALICE });
  const { image } = await makeImage(alice);
  const { uuid } = image;
  const known: Known = { state: 'active', sha1: image.files[0]?.sha1 ?? '' };
  const liesOf = async (...possible: (Known | undefined)[]) => {
    const model = new Model();
    model.add('here', ALICE, uuid, possible);
    return model.lies(() => alice);
  };
  t.same(await liesOf(known), []);
  t.same(await liesOf(undefined, known), [], 'a request without an answer leaves both');
  t.match(await liesOf(undefined), [/but none$/]);
  t.same(await liesOf({ ...known, icon: new Set(['', 'another']) }), [], 'a copy has one of the icons of its source');
  t.match(await liesOf({ ...known, icon: new Set(['another']) }), [/\["another"\]/]);
  t.match(await liesOf({ ...known, description: 'another' }), [/"another"/]);
  await imgapi.service.storages.named('local').remove(imageObjectPath(uuid, 'file0'));
  t.match(await liesOf(known), [/its file has sha1/]);
  await alice.deleteImage(uuid);
  t.match(await liesOf(known), [/: none, but/]);
});
