import { randomUUID } from 'node:crypto';
import t from 'tap';
import { ALICE } from '../../helpers/accounts.ts';
import { MANIFEST, makeImage } from '../../helpers/images.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { objectsOf, recordOf, refusal, send } from './fixture.ts';

const CHANNELS = [
  { name: 'dev', description: 'all bits', default: true },
  { name: 'staging', description: 'nearly' },
  { name: 'release', description: 'for all' },
];

const server = await startInProcess(t, { mode: 'private', authType: 'none', channels: CHANNELS });
const dev = server.client();
const staging = server.client({ channel: 'staging' });
const release = server.client({ channel: 'release' });
const all = server.client({ channel: '*' });

const make = async (client = dev, fields: object = {}) =>
  (await makeImage(client, fields, { owner: ALICE, size: 10 })).image.uuid;
const isIn = async (client: typeof dev, uuid: string) => {
  try {
    return (await client.getImage(uuid)).uuid === uuid;
  } catch {
    return false;
  }
};

t.test('the channels are told', async (t) => {
  t.same(await dev.listChannels(), CHANNELS);
});

t.test('a new image is in the channel of its request, whatever its manifest says', async (t) => {
  t.same((await dev.createImage({ ...MANIFEST, owner: ALICE })).channels, ['dev']);
  t.same((await staging.createImage({ ...MANIFEST, owner: ALICE, channels: ['release'] })).channels, ['staging']);
  const imported = { ...MANIFEST, v: 2, uuid: randomUUID(), owner: ALICE, channels: ['dev', 'x'] };
  t.same((await release.adminImportImage(imported)).channels, ['release']);
});

t.test('an image is there in its channels only', async (t) => {
  const uuid = await make(staging);
  t.ok(await isIn(staging, uuid));
  t.ok(await isIn(all, uuid));
  t.notOk(await isIn(dev, uuid));
  t.match(await refusal(dev.getImageFile(uuid)), { status: 404 });
  t.match(await refusal(dev.getImageIcon(uuid)), { status: 404 });
  t.match(await refusal(dev.updateImage(uuid, { name: 'x' })), { status: 404 });
  t.match(await refusal(dev.disableImage(uuid)), { status: 404 });
  t.match(await refusal(dev.addImageAcl(uuid, [ALICE])), { status: 404 });
  t.match(await refusal(dev.deleteImage(uuid)), { status: 404 });
  t.same(
    (await staging.listImages({})).some((image) => image.uuid === uuid),
    true,
  );
  t.same(
    (await dev.listImages({})).some((image) => image.uuid === uuid),
    false,
  );
});

t.test('a channel that is not there is refused, and so is * where something is written', async (t) => {
  const uuid = await make();
  const invalid = { status: 422, code: 'ValidationFailed', errors: [{ field: 'channel', code: 'Invalid' }] };
  const wrong = server.client({ channel: 'none' });
  for (const call of [() => wrong.getImage(uuid), () => wrong.listImages({}), () => wrong.deleteImage(uuid)]) {
    t.match(await refusal(call()), invalid);
  }
  for (const call of [
    () => all.createImage({ ...MANIFEST, owner: ALICE }),
    () => all.updateImage(uuid, { name: 'x' }),
    () => all.deleteImage(uuid),
    () => all.addImageAcl(uuid, [ALICE]),
    () => all.channelAddImage(uuid, { channel: 'staging' }),
  ]) {
    t.match(await refusal(call()), invalid);
  }
});

t.test('without a default channel one has to be named', async (t) => {
  const other = await startInProcess(t, {
    mode: 'private',
    authType: 'none',
    channels: [{ name: 'dev', description: 'all bits' }],
  });
  const missing = { status: 422, code: 'ValidationFailed', errors: [{ field: 'channel', code: 'MissingParameter' }] };
  t.match(await refusal(other.client().listImages({})), missing);
  t.match(await refusal(other.client().createImage({ ...MANIFEST, owner: ALICE })), missing);
  t.same(await other.client({ channel: 'dev' }).listImages({}), []);
});

t.test('an image is added to a channel', async (t) => {
  const uuid = await make();
  t.same((await dev.channelAddImage(uuid, { channel: 'staging' })).channels, ['dev', 'staging']);
  t.ok(await isIn(staging, uuid));
  const { rev } = (await recordOf(server, uuid)) ?? {};
  t.same((await staging.channelAddImage(uuid, { channel: 'staging' })).channels, ['dev', 'staging']);
  t.equal((await recordOf(server, uuid))?.rev, rev, 'where it is already, nothing is written');
  t.match(await refusal(release.channelAddImage(uuid, { channel: 'release' })), { status: 404 });
  for (const body of [
    undefined,
    null,
    {},
    { channel: 'none' },
    { channel: '*' },
    { channel: ['dev'] },
    { channel: 7 },
    [],
  ]) {
    const answer = await send(server.url, {
      method: 'POST',
      path: `/images/${uuid}?action=channel-add`,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const invalid = { code: 'ValidationFailed', errors: [{ field: 'channel', code: 'Invalid' }] };
    t.match(answer, { status: 422, json: invalid }, JSON.stringify(body));
  }
});

t.test('of many who add an image to channels at once, none is lost', async (t) => {
  const uuid = await make();
  await Promise.all([
    dev.channelAddImage(uuid, { channel: 'staging' }),
    dev.channelAddImage(uuid, { channel: 'release' }),
    dev.channelAddImage(uuid, { channel: 'staging' }),
  ]);
  t.same(new Set((await dev.getImage(uuid)).channels), new Set(['dev', 'staging', 'release']));
});

t.test('an update may set any channels, but has to leave some', async (t) => {
  const uuid = await make();
  t.same((await dev.updateImage(uuid, { channels: ['dev', 'long-gone'] })).channels, ['dev', 'long-gone']);
  t.match(await refusal(dev.updateImage(uuid, { channels: null })), { fields: ['channels'] });
  t.match(await refusal(dev.updateImage(uuid, { channels: 'dev' })), { fields: ['channels'] });
});

t.test('channels are shown from version 2 on', async (t) => {
  const uuid = await make();
  t.same((await server.client({ version: '~2' }).getImage(uuid)).channels, ['dev']);
  t.equal((await server.client({ version: '~1' }).getImage(uuid)).channels, undefined);
});

t.test('deleting', async (t) => {
  await t.test('in one of two channels takes the image out of that one', async (t) => {
    const uuid = await make();
    await dev.channelAddImage(uuid, { channel: 'staging' });
    await dev.deleteImage(uuid);
    t.notOk(await isIn(dev, uuid));
    t.same((await staging.getImage(uuid)).channels, ['staging']);
    t.same(await objectsOf(server.dataDir, uuid), ['file0']);
  });

  await t.test('in the last channel is for good', async (t) => {
    const uuid = await make();
    await dev.deleteImage(uuid);
    t.notOk(await isIn(all, uuid));
    t.same(await objectsOf(server.dataDir, uuid), []);
  });

  await t.test('from all channels is for good', async (t) => {
    const uuid = await make();
    await dev.channelAddImage(uuid, { channel: 'staging' });
    const wrong = await send(server.url, { method: 'DELETE', path: `/images/${uuid}?force_all_channels=1` });
    t.match(wrong, { status: 422, json: { code: 'InvalidParameter', errors: [{ field: 'force_all_channels' }] } });
    await staging.deleteImage(uuid, { force_all_channels: true });
    t.notOk(await isIn(all, uuid));
  });

  await t.test('from two channels at once leaves nothing that is in no channel', async (t) => {
    for (let round = 0; round < 10; round++) {
      const uuid = await make();
      await dev.channelAddImage(uuid, { channel: 'staging' });
      await Promise.all([dev.deleteImage(uuid), staging.deleteImage(uuid)]);
      t.equal(await recordOf(server, uuid), undefined);
      t.same(await objectsOf(server.dataDir, uuid), []);
    }
  });

  await t.test('in a channel is refused while the channel holds images that build on it', async (t) => {
    const base = await make();
    await dev.channelAddImage(base, { channel: 'staging' });
    const child = await make(dev, { origin: base });
    t.match(await refusal(dev.deleteImage(base)), { status: 422, code: 'ImageHasDependentImages' });
    await staging.deleteImage(base);
    t.ok(await isIn(dev, base), 'in a channel without any it may go');
    await dev.deleteImage(child);
    await dev.deleteImage(base);
    t.notOk(await isIn(all, base));
  });

  await t.test('for good is refused while any channel holds images that build on it', async (t) => {
    const base = await make();
    await dev.channelAddImage(base, { channel: 'staging' });
    const child = await make(staging, { origin: base });
    await staging.channelAddImage(base, { channel: 'release' });
    t.match(await refusal(dev.deleteImage(base, { force_all_channels: true })), { code: 'ImageHasDependentImages' });
    await staging.deleteImage(child);
    await dev.deleteImage(base, { force_all_channels: true });
    t.notOk(await isIn(all, base));
  });
});

t.test('where there are no channels', async (t) => {
  const other = await startInProcess(t);
  const client = other.client({ channel: 'none' });
  const { image } = await makeImage(client, {}, { owner: ALICE, size: 1 });
  t.equal((await client.getImage(image.uuid)).channels, undefined, 'the parameter means nothing');
  t.match(await refusal(client.channelAddImage(image.uuid, { channel: 'dev' })), { status: 422, fields: ['action'] });
  t.match(await refusal(client.listChannels()), { status: 404, code: 'ResourceNotFound' });
});
