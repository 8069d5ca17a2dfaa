/** What CloudAPI and IMGAPI show of an image goes back into an IMGAPI, without what only the server decides. */
import t from 'tap';
import { ALICE, BOB } from '../../helpers/accounts.ts';
import { asker, cloudapiInProcess, makePeople } from '../../helpers/cloudapi.ts';
import { makeImage } from '../../helpers/images.ts';
import { startInProcess } from '../../helpers/imgapi.ts';

const people = makePeople();
const server = await startInProcess(t);
const elsewhere = await startInProcess(t);
const ask = asker(t, (await cloudapiInProcess(t, { people: Object.values(people), imgapi: server.url })).url);

const fields = {
  ...{ name: 'round', description: 'd', homepage: 'https://h.example.com', eula: 'https://e.example.com' },
  ...{ type: 'zvol', os: 'linux', nic_driver: 'virtio', disk_driver: 'virtio', cpu_type: 'host', image_size: 10 },
  ...{ tags: { a: 'b' }, requirements: { min_ram: 512, max_ram: 1024, brand: 'bhyve', bootrom: 'uefi' } },
} as const;
const { image } = await makeImage(server.client({ account: ALICE }), fields);
await server.client({ account: ALICE }).addImageAcl(image.uuid, ['bob', BOB, 'nosuch']);
const drivers = { nic_driver: 'virtio', disk_driver: 'virtio', cpu_type: 'host' };
const path = `/my/images/${image.uuid}`;

type Read = Record<string, unknown>;
const readers: Readonly<Record<string, () => Promise<Read>>> = {
  'CloudAPI 9, as owner': async () => (await ask(path, { as: people.alice })).json,
  'CloudAPI 9, as sharee': async () => (await ask(path, { as: people.bob })).json,
  'CloudAPI 9, by the account that copied it': async () => ({
    ...(await ask(path, { as: people.alice })).json,
    ...{ copied_from: { datacenter: 'x', at: '2026-01-01T00:00:00Z' }, left_by: ['bob'] },
  }),
  'IMGAPI 3, as owner': async () => ({ ...(await server.client({ account: ALICE }).getImage(image.uuid)) }),
  'IMGAPI 3, as operator': async () => ({ ...(await server.client().getImage(image.uuid)) }),
};

const KEPT = ['name', 'description', 'homepage', 'eula', 'type', 'os', 'image_size', 'tags', 'requirements'] as const;

for (const [how, read] of Object.entries(readers)) {
  t.test(`${how}: it is created and imported elsewhere`, async (t) => {
    const shown = await read();
    const { state: _, published_at: __, uuid: ___, ...manifest }: Read = { ...drivers, ...shown };
    const created = await elsewhere.client().createImage({ ...manifest, owner: ALICE } as never);
    t.not(created.uuid, image.uuid);
    const imported = await elsewhere
      .client()
      .adminImportImage({ ...drivers, ...shown, v: 2, uuid: image.uuid } as never);
    for (const made of [created, imported]) {
      for (const field of KEPT) t.strictSame(made[field], fields[field], field);
      for (const field of ['id', 'shared_with', 'shared_as', 'left_by', 'copied_from']) t.notOk(field in made, field);
    }
    await elsewhere.client().deleteImage(image.uuid);
  });
}

t.test('a second name that says something else is refused', async (t) => {
  const shown = (await ask(path, { as: people.alice })).json as Read;
  const { state: _, published_at: __, ...manifest }: Read = { ...drivers, ...shown };
  const requirements = { ...fields.requirements, max_memory: 7 };
  await t.rejects(elsewhere.client().createImage({ ...manifest, requirements } as never), /max_memory/);
});

t.test('an image is deprecated and replaced, and its sharee sees which one it may see', async (t) => {
  const { uuid: replacement } = (await makeImage(server.client({ account: ALICE }))).image;
  const update = (query: string) => ask(`${path}?action=update&${query}`, { as: people.alice, method: 'POST' });
  const listed = async (query: string) =>
    ((await ask(`/my/images?${query}`, { as: people.bob })).json as Read[]).map(({ id }) => id);
  const deprecated = await update(`deprecated_at=2020-01-31T00:00:00Z&replaced_by=${replacement}`);
  t.match(deprecated.json, { deprecated_at: '2020-01-31T00:00:00Z', replaced_by: replacement });
  const { deprecated_at: at, replaced_by: by } = (await ask(path, { as: people.bob })).json as Read;
  t.same([at, by], ['2020-01-31T00:00:00Z', undefined]);
  t.same(await listed('deprecated=true'), [image.uuid]);
  t.same(await listed('deprecated=false'), []);
  const cleared = (await update('deprecated_at=')).json as Read;
  t.same([cleared['deprecated_at'], cleared['replaced_by']], [undefined, undefined]);
});
