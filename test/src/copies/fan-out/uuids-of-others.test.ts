/** A linked datacenter orders images under UUIDs of its choice: what it must not take with them. */
import { test } from 'tap';
import { ALICE, BOB } from '../../../helpers/accounts.ts';
import { makeImage, sha1Of } from '../../../helpers/images.ts';
import { sha1Served } from '../../../helpers/invariants.ts';
import { ACCEPTS, startHub, until } from './fixture.ts';

test('an order takes no UUID that an image of another account has here', async (t) => {
  const { hub, image, targets } = await startHub(t, { targets: { east: ACCEPTS } });
  const east = targets['east']!;
  const { image: made, bytes } = await makeImage(east.client(), {}, { owner: BOB, activate: false });
  await east.client().updateImage(made.uuid, { uuid: image });
  const before = await east.client().activateImage(image);
  const { uuid } = await hub.client().copyImageToDcs(image, { account: ALICE, datacenters: 'east' });
  const told = await until(hub, uuid, 'an answer', ({ datacenters: [one] }) => (one?.tries ?? 0) > 0 && !!one?.error);
  t.match(told.datacenters[0]?.error, { code: 'ImageUuidAlreadyExists' });
  await hub.client().cancelFanOut(uuid);
  t.match(await east.client({ account: BOB }).getImage(image), { owner: BOB, files: before.files });
  t.equal(await sha1Served(east.client({ account: BOB }), image), sha1Of(bytes));
  await t.rejects(east.client({ account: ALICE }).getImage(image), { code: 'ResourceNotFound' });
  t.strictSame(await east.client().listCopies(), []);
});
