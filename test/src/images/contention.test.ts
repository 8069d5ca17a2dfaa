/** Many who build on an image at once, which writes to it, neither fail nor keep its owner from anything. */
import t from 'tap';
import { ALICE, BOB, CAROL } from '../../helpers/accounts.ts';
import { MANIFEST, makeImage } from '../../helpers/images.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { refusal } from './fixture.ts';

const AT_ONCE = 60;

t.test('who builds on an image all the time keeps nobody from changing, cloning or unsharing it', async (t) => {
  const server = await startInProcess(t);
  const alice = server.client({ account: ALICE });
  const bob = server.client({ account: BOB });
  const carol = server.client({ account: CAROL });
  const { image } = await makeImage(alice, { acl: [BOB, CAROL] }, { size: 10 });

  // Each builds again and again until it is not allowed any more.
  const ends = Array.from({ length: AT_ONCE }, async () => {
    for (;;) {
      const answer = await refusal(bob.createImage({ ...MANIFEST, origin: image.uuid })).catch(() => undefined);
      if (answer) return answer.code;
    }
  });
  while ((await bob.listImages({ owner: BOB, state: 'unactivated', limit: 1 })).length === 0);

  t.equal((await alice.updateImage(image.uuid, { description: 'changed' })).description, 'changed');
  t.match(await carol.cloneImage(image.uuid), { owner: CAROL, state: 'active' });
  t.same((await alice.removeImageAcl(image.uuid, [BOB]))?.acl, [CAROL]);
  t.same(await Promise.all(ends), Array(AT_ONCE).fill('OriginDoesNotExist'), 'nobody fails for any other reason');
  await alice.removeImageAcl(image.uuid, [CAROL]);
  await alice.deleteImage(image.uuid);
});
