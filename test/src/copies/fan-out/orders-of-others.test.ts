/** What a linked datacenter may do with orders here, if it turns hostile. */
import { randomUUID } from 'node:crypto';
import { test } from 'tap';
import { ImgapiError } from '#lib/client/errors.ts';
import { updateObject } from '#lib/documents/update.ts';
import { IMAGES } from '#lib/manifest/record.ts';
import { COPIES } from '#src/copies/documents/model.ts';
import { linkClient } from '#src/datacenters/links/link-client.ts';
import { getLink } from '#src/datacenters/links/links.ts';
import { ALICE, BOB, CAROL } from '../../../helpers/accounts.ts';
import { makeImage } from '../../../helpers/images.ts';
import type { InProcess } from '../../../helpers/imgapi.ts';
import { waitFor } from '../../../helpers/wait.ts';
import { ACCEPTS, isShown, startHub, until } from './fixture.ts';

/** Signed calls of one datacenter to another; answers the status. */
async function callsOf(from: InProcess, to: string) {
  const { value: link } = await getLink(from.imgapi.service, to);
  const client = await linkClient(from.imgapi.service, link);
  return async (method: 'GET' | 'POST', path: string): Promise<number> => {
    try {
      await client.json({ method, path: `/link/copies${path}` });
      return 200;
    } catch (error) {
      if (error instanceof ImgapiError) return error.statusCode;
      throw error;
    }
  };
}

test('an order is known only to the datacenter that has the image, for the account that it is for', async (t) => {
  const { hub, image, targets } = await startHub(t, { targets: { east: ACCEPTS, west: {} } });
  const east = targets['east']!;
  const placed = await hub.client().copyImageToDcs(image, { account: ALICE, datacenters: 'all', together: true });
  const verified = await until(hub, placed.uuid, 'verified', ({ datacenters: [one] }) => one?.state === 'verified');
  const order = verified.datacenters[0]?.order;
  const call = await callsOf(hub, 'east');
  t.equal(await call('GET', `/${order}?account=${ALICE}`), 200);
  t.equal(await call('GET', `/${order}?account=${BOB}`), 404, 'not for another account');
  t.equal(await call('POST', `/${order}/release?account=${BOB}`), 404);
  t.equal(await call('POST', `/${order}/cancel?account=${BOB}`), 404);
  t.equal(await call('GET', `/${randomUUID()}?account=${ALICE}`), 404);
  t.equal(await call('GET', `/${order}`), 422, 'the account must be named');
  t.match(await east.client().listCopies(), [{ held: true }], 'and it is still held');
});

test("what the account itself ordered is not another datacenter's to cancel", async (t) => {
  const { hub, image, targets } = await startHub(t, { targets: { east: ACCEPTS } });
  const east = targets['east']!.client();
  const { order } = await east.copyImageFromDc(image, { account: ALICE, datacenter: 'hub' });
  const call = await callsOf(hub, 'east');
  t.equal(await call('GET', `/${order}?account=${ALICE}`), 200, 'it may see how far its image is');
  t.equal(await call('POST', `/${order}/cancel?account=${ALICE}`), 404);
  t.equal(await call('POST', `/${order}/release?account=${ALICE}`), 404);
});

test('a link for certain accounts takes orders for no other', async (t) => {
  const { hub, image } = await startHub(t, { targets: { east: ACCEPTS }, terms: { allowedAccounts: [BOB] } });
  const call = await callsOf(hub, 'east');
  const query = `?image=${image}&fan_out=${randomUUID()}`;
  t.equal(await call('POST', `${query}&account=${ALICE}`), 403);
  t.equal(await call('POST', `${query}&account=${BOB}`), 404, 'and nobody copies what is not theirs');
  t.equal(await call('POST', `?fan_out=${randomUUID()}&account=${BOB}`), 422, 'an image must be named');
});

test('an image that did not come from the datacenter that orders is left as it is', async (t) => {
  const { hub, image, targets } = await startHub(t, { targets: { east: ACCEPTS } });
  const east = targets['east']!;
  const order = async () => {
    const { uuid } = await hub.client().copyImageToDcs(image, { account: ALICE, datacenters: 'east' });
    await until(hub, uuid, 'the end', ({ state }) => state === 'succeeded');
    return (await east.client().getImage(image)).description;
  };
  await hub.client().updateImage(image, { description: 'first' });
  t.equal(await order(), 'first');
  await hub.client().updateImage(image, { description: 'second' });
  t.equal(await order(), 'second', 'what came from there follows what is there');
  await updateObject(east.imgapi.service.store, IMAGES, image, ({ copied_from: _, ...record }) => ({
    ...record,
    rev: 99,
  }));
  await hub.client().updateImage(image, { description: 'third' });
  t.equal(await order(), 'second', 'what did not, does not');
});

test('no order brings an image for an account that is not here, nor for the operators', async (t) => {
  const { hub, image, targets } = await startHub(t, { targets: { east: ACCEPTS } });
  const call = await callsOf(hub, 'east');
  const query = `?image=${image}&fan_out=${randomUUID()}`;
  t.equal(await call('POST', `${query}&account=${randomUUID()}`), 422);
  t.equal(await call('POST', `${query}&account=${targets['east']!.imgapi.service.config.adminUuid}`), 403);
  t.strictSame(await targets['east']!.client().listCopies(), []);
});

test('an order opens nothing that was here before', async (t) => {
  const { hub, image, targets } = await startHub(t, { targets: { east: ACCEPTS } });
  const east = targets['east']!;
  const secret = (await makeImage(east.client(), {}, { owner: ALICE })).image.uuid;
  const { image: child } = await makeImage(hub.client(), {}, { owner: ALICE });
  // A hostile datacenter says what it likes.
  await updateObject(hub.imgapi.service.store, IMAGES, child.uuid, (record) => ({
    ...record,
    origin: secret,
    rev: 99,
  }));
  await hub.client().addImageAcl(child.uuid, [CAROL]);
  const order = async (uuid: string) => {
    const placed = await hub.client().copyImageToDcs(uuid, { account: ALICE, datacenters: 'east' });
    await until(hub, placed.uuid, 'the end', ({ state }) => state === 'succeeded');
  };
  await order(child.uuid);
  t.ok(await isShown(east, child.uuid));
  const carol = east.client({ account: CAROL });
  t.strictSame(await carol.listImages(), [], 'neither the image, which would show its origin');
  await hub.client().addImageAcl(image, [CAROL]);
  await order(image);
  t.match(await carol.listImages(), [{ uuid: image }], 'what shows nothing of here is shared');
  await hub.client().addImageAcl(image, [BOB]);
  await order(image);
  t.strictSame(await east.client({ account: BOB }).listImages(), [], 'what is here is shared by whom it belongs to');
});

test("the account's own copy from elsewhere is not told to the datacenter that orders the image", async (t) => {
  const { hub, image, targets } = await startHub(t, { targets: { east: ACCEPTS } });
  const { store } = targets['east']!.imgapi.service;
  const { order } = await targets['east']!.client().copyImageFromDc(image, { account: ALICE, datacenter: 'hub' });
  await waitFor('the image', () => isShown(targets['east']!, image));
  await updateObject(store, COPIES, order, (copy) => ({ ...copy, source: 'west', rev: 99 }));
  const call = await callsOf(hub, 'east');
  t.equal(await call('GET', `/${order}?account=${ALICE}`), 404);
});

test('an account that wants its image here does not wait for what another datacenter holds back', async (t) => {
  const { hub, image, targets } = await startHub(t, { targets: { east: ACCEPTS, west: {} } });
  const east = targets['east']!;
  const placed = await hub.client().copyImageToDcs(image, { account: ALICE, datacenters: 'all', together: true });
  await until(hub, placed.uuid, 'verified', ({ datacenters: [one] }) => one?.state === 'verified');
  const { order } = await east.client().copyImageFromDc(image, { account: ALICE, datacenter: 'hub' });
  t.not(order, (await hub.client().getFanOut(placed.uuid)).datacenters[0]?.order);
  await waitFor('the image', () => isShown(east, image));
  t.match(await hub.client().getFanOut(placed.uuid), { state: 'running' });
});
