import { test } from 'tap';
import { ALICE, BOB } from '../../helpers/accounts.ts';
import { makeImage } from '../../helpers/images.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { refusal } from './fixture.ts';

test('a protected image is not deleted by anybody until its protection is lifted', async (t) => {
  const server = await startInProcess(t);
  const [operator, alice, bob] = [server.client(), server.client({ account: ALICE }), server.client({ account: BOB })];
  const { image } = await makeImage(alice, { acl: ['bob'] }, { size: 10 });
  const { uuid } = image;
  t.match(await refusal(bob.protectImage(uuid)), { status: 422, code: 'NotImageOwner' });
  t.equal((await alice.protectImage(uuid)).protected, true);
  t.equal((await operator.protectImage(uuid)).protected, true, 'once more is no mistake');
  t.equal((await bob.getImage(uuid)).protected, undefined, 'only its owner and operators see it');
  for (const client of [operator, alice]) {
    for (const options of [{}, { purge: true }]) {
      const { status, code, message } = await refusal(client.deleteImage(uuid, options));
      t.match({ status, code }, { status: 409, code: 'ImageProtected' });
      t.match(message, `image "${uuid}" (${image.name} ${image.version}) is protected`);
    }
  }
  await alice.updateImage(uuid, { description: 'changed' });
  t.equal((await alice.getImage(uuid)).protected, true, 'other changes leave it');
  t.same(await alice.unprotectImage(uuid), { ...image, description: 'changed' });
  await alice.deleteImage(uuid);
  t.match(await refusal(alice.getImage(uuid)), { status: 404 });
});
