/** The service with its documents in Moray: what people do, by several processes, and how often Moray is asked for it. */
import { type Test, test } from 'tap';
import type { ImgapiClient } from '#lib/client/client.ts';
import type { ListImagesFilter } from '#lib/client/filter.ts';
import { MorayDouble } from '../../../doubles/moray/server.ts';
import { ALICE, BOB, CAROL } from '../../../helpers/accounts.ts';
import { startCloud } from '../../../helpers/cloud.ts';
import { freePort } from '../../../helpers/free-port.ts';
import { makeImage } from '../../../helpers/images.ts';
import { type ConfigKeys, type InProcess, startInProcess, temporaryFolder } from '../../../helpers/imgapi.ts';

async function morayServer(t: Test): Promise<{ server: MorayDouble; keys: ConfigKeys }> {
  const server = await new MorayDouble().start();
  t.teardown(() => server.stop());
  // Templates render the port as a text.
  return { server, keys: { databaseType: 'moray', moray: { host: '127.0.0.1', port: String(server.port) } } };
}

interface Pair {
  readonly server: MorayDouble;
  readonly one: InProcess;
  readonly other: InProcess;
}

/** Two processes of a datacenter. */
async function pair(t: Test, more: ConfigKeys = {}): Promise<Pair> {
  const { server, keys } = await morayServer(t);
  const dataDir = await temporaryFolder(t);
  const [one, other] = await Promise.all([
    startInProcess(t, { ...keys, ...more }, { dataDir }),
    startInProcess(t, { ...keys, ...more }, { dataDir }),
  ]);
  return { server, one, other };
}

test('an image goes through its life, each step by another process', async (t) => {
  const { one, other } = await pair(t);
  const [alice, elsewhere] = [one.client({ account: ALICE }), other.client({ account: ALICE })];
  const { image, bytes } = await makeImage(alice, { tags: { role: 'db' } });
  t.match(await elsewhere.getImage(image.uuid), { uuid: image.uuid, state: 'active', owner: ALICE });
  const { stream } = await elsewhere.getImageFile(image.uuid);
  const read: Buffer[] = [];
  for await (const chunk of stream) read.push(Buffer.from(chunk));
  t.ok(Buffer.concat(read).equals(bytes));
  await elsewhere.updateImage(image.uuid, { description: 'changed' });
  t.equal((await alice.getImage(image.uuid)).description, 'changed');
  t.strictSame(await other.client({ account: BOB }).listImages(), []);
  await alice.addImageAcl(image.uuid, ['bob']);
  t.equal((await other.client({ account: BOB }).listImages()).length, 1);
  t.match(await other.client({ account: BOB }).cloneImage(image.uuid), { owner: BOB });
  await alice.removeImageAcl(image.uuid, ['bob']);
  await elsewhere.disableImage(image.uuid);
  t.equal((await alice.getImage(image.uuid)).state, 'disabled');
  await elsewhere.deleteImage(image.uuid);
  await t.rejects(alice.getImage(image.uuid), { name: 'ImgapiError', statusCode: 404 });
});

test('lists with all filters are those of a service with its documents in SQLite', async (t) => {
  const { keys } = await morayServer(t);
  const lists: string[][] = [];
  for (const engine of [keys, {}]) {
    const server = await startInProcess(t, engine);
    const alice = server.client({ account: ALICE });
    const operator = server.client();
    const bob = server.client({ account: BOB });
    await makeImage(alice, { name: 'base-64', os: 'linux', tags: { role: 'db', 'odd key': ' x ' } }, { size: 10 });
    await makeImage(alice, { name: 'base_64', version: '2.0.0', tags: { role: 'web' } }, { size: 10 });
    await makeImage(
      alice,
      {
        name: 'other/image',
        type: 'zvol',
        nic_driver: 'virtio',
        disk_driver: 'virtio',
        cpu_type: 'host',
        image_size: 1000,
        acl: [BOB],
      },
      { size: 10 },
    );
    await makeImage(
      operator,
      { name: 'open', owner: CAROL, public: true, billing_tags: ['xxl', ' odd ', 'null'] },
      { size: 10 },
    );
    await makeImage(alice, { name: 'unready' }, { size: 10, activate: false });
    const filters: ListImagesFilter[] = [
      {},
      { state: 'all' },
      { state: 'unactivated' },
      { name: 'base-64' },
      { name: '~base' },
      { name: '~_' },
      { name: '~\\' },
      { name: '~(*' },
      { name: '~' },
      { version: '~2.' },
      { os: 'linux' },
      { type: 'zvol' },
      { type: '!zvol' },
      { public: true },
      { public: false, state: 'all' },
      { owner: ALICE },
      { owner: CAROL },
      { billing_tag: 'xxl' },
      { billing_tag: ' odd ' },
      { billing_tag: ['xxl', 'null'] },
      { tags: { role: 'db' } },
      { tags: { role: '' } },
      { tags: { 'odd key': ' x ' } },
      { limit: 2, state: 'all' },
      { sort: 'published_at.desc', state: 'all' },
      { sort: 'published_at.desc', limit: 1 },
      { marker: '2020-01-01', state: 'all' },
    ];
    const asked: [ImgapiClient, ListImagesFilter][] = [alice, bob, operator].flatMap((client) =>
      filters.map((filter): [ImgapiClient, ListImagesFilter] => [client, filter]),
    );
    const found: string[] = [];
    for (const [client, filter] of asked) {
      const names = (await client.listImages(filter)).map(({ name }) => name);
      found.push(`${JSON.stringify(filter)}: ${names.join()}`);
    }
    lists.push(found);
  }
  t.strictSame(lists[0], lists[1]);
  t.ok(new Set(lists[0]?.map((line) => line.split(': ')[1])).size > 8, 'they differ');
});

test('of ACL edits made at once by two processes none is lost', async (t) => {
  const { one, other } = await pair(t);
  const { image } = await makeImage(one.client({ account: ALICE }), {}, { size: 10 });
  const clients = [one.client({ account: ALICE }), other.client({ account: ALICE })];
  const accounts = Array.from({ length: 24 }, (_, i) => `00000000-0000-4000-8000-0000000000${10 + i}`);
  await Promise.all(accounts.map((account, i) => clients[i % 2]?.addImageAcl(image.uuid, [account])));
  t.strictSame((await clients[0]?.getImage(image.uuid))?.acl?.toSorted(), accounts);
});

test('Moray is asked few times: once for an image, once for a list, three times for a change', async (t) => {
  const { server, keys } = await morayServer(t);
  // No task of the service's own comes in between.
  const imgapi = await startInProcess(t, { ...keys, sweep: { intervalSeconds: 3600 } });
  const [alice, bob] = [imgapi.client({ account: ALICE }), imgapi.client({ account: BOB })];
  const { image } = await makeImage(alice, { acl: [BOB] }, { size: 10 });
  const asked = async (work: () => Promise<unknown>): Promise<string[]> => {
    await work();
    server.calls.length = 0;
    await work();
    const ofImages = server.calls.filter(({ args }) => JSON.stringify(args[0]).includes('imgapi_images'));
    return ofImages.map(({ method }) => method);
  };
  t.strictSame(await asked(() => alice.getImage(image.uuid)), ['getObject']);
  t.strictSame(await asked(() => bob.getImage(image.uuid)), ['getObject']);
  t.strictSame(await asked(() => alice.listImages()), ['findObjects']);
  t.strictSame(await asked(() => bob.listImages({ state: 'all', name: '~my' })), ['findObjects']);
  t.strictSame(await asked(() => bob.listImages({ sort: 'published_at.desc', limit: 1 })), ['findObjects']);
  t.strictSame(await asked(() => alice.addImageAcl(image.uuid, [CAROL])), ['getObject', 'getObject', 'batch']);
  t.strictSame(await asked(() => alice.updateImage(image.uuid, { description: String(Math.random()) })), [
    'getObject',
    'getObject',
    'batch',
  ]);
});

test('images are copied between a datacenter on Moray and one on SQLite, both ways', async (t) => {
  const { keys } = await morayServer(t);
  const { east, west } = await startCloud(t, { east: keys });
  const { image } = await makeImage(east.alice, { name: 'there' });
  t.match(await west.copy(image.uuid, east.name), { state: 'succeeded' });
  t.match(await west.alice.getImage(image.uuid), { name: 'there', state: 'active' });
  const { image: back } = await makeImage(west.alice, { name: 'back' });
  const report = await west.administer<unknown>('GET', '/datacenters');
  t.match(report, [{ name: east.name }]);
  t.match(await east.copy(back.uuid, west.name), { state: 'succeeded' });
  t.match(await east.alice.getImage(back.uuid), { name: 'back', state: 'active' });
});

test('Moray is waited for at the start, and while it is away the answer is 503', async (t) => {
  const { server, keys } = await morayServer(t);
  const section = keys['moray'] as object;
  await server.stop();
  const starting = startInProcess(t, { ...keys, moray: { ...section, timeoutSeconds: 0.5, startSeconds: 60 } });
  await server.start();
  const imgapi = await starting;
  const alice = imgapi.client({ account: ALICE });
  const { image } = await makeImage(alice, {}, { size: 10 });
  await server.stop();
  await t.rejects(alice.getImage(image.uuid), { name: 'ImgapiError', statusCode: 503 });
  await server.start();
  t.equal((await alice.getImage(image.uuid)).uuid, image.uuid);
  const away = { host: '127.0.0.1', port: await freePort(), timeoutSeconds: 0.2, startSeconds: 0 };
  const failed = startInProcess(t, { databaseType: 'moray', moray: away });
  await t.rejects(failed, { name: 'ConfigError', message: /moray: 127\.0\.0\.1:\d+ cannot be used/ });
});
