/** Copies between two datacenters, ordered and watched by way of CloudAPI; and what the admin may read for them. */
import { Readable } from 'node:stream';
import t from 'tap';
import type { CopyStatus } from '#lib/api/schemas/copy.ts';
import { ImgapiClient } from '#lib/client/client.ts';
import { ALICE, BOB } from '../../helpers/accounts.ts';
import { MiB, startCloud } from '../../helpers/cloud.ts';
import { type Ask, asker, cloudapiInProcess, makePeople, type Person, signedHeaders } from '../../helpers/cloudapi.ts';
import { makeImage, sha1Of } from '../../helpers/images.ts';
import { waitFor } from '../../helpers/wait.ts';

const people = makePeople();
const { east, west } = await startCloud(t);
const everybody = Object.values(people);
const [here, there, streaming] = await Promise.all([
  cloudapiInProcess(t, { people: everybody, imgapi: west.front.url, keys: { datacenterName: west.name } }),
  cloudapiInProcess(t, { people: everybody, imgapi: east.front.url, keys: { datacenterName: east.name } }),
  cloudapiInProcess(t, { people: everybody, imgapi: east.front.url, keys: { pulls: { redirect: false } } }),
]);
const asks = (url: string, person: Person) => {
  const ask = asker(t, url);
  return (path: string, more: Ask = {}) => ask(path, { as: person, ...more });
};
const alice = asks(here.url, people.alice);
const bob = asks(here.url, people.bob);
const admin = asks(there.url, people.admin);
const lines = { headers: { accept: 'application/x-json-stream' } };
const copyPath = (id: string, action = 'copy-from-dc') =>
  `/my/images?action=${action}&datacenter=${east.name}&id=${id}`;
const order = (id: string, more: Ask = {}, query = '') =>
  alice(`${copyPath(id)}${query}`, { method: 'POST', json: {}, ...more });

const statusesIn = ({ bytes }: { bytes: Buffer }): CopyStatus[] =>
  bytes
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as CopyStatus);

t.test('a copy is ordered at the destination, and followed line by line', async (t) => {
  const { image: base } = await makeImage(east.alice, {}, { size: 10_000 });
  const { image } = await makeImage(east.alice, { origin: base.uuid }, { size: MiB });
  const plan = await alice(`/my/images/${image.uuid}/copy?plan=true&datacenter=${east.name}`);
  t.match(plan.json, { image_uuid: image.uuid, bytes_to_copy: MiB + 10_000, images: [{ action: 'copy' }, {}] });
  const finishBy = new Date(Date.now() + 3600_000).toISOString();
  t.match((await order(image.uuid, {}, '&finish_by=soon')).json, { message: /finish_by is "soon"; it must be a date/ });
  const answer = await order(image.uuid, lines, `&finish_by=${finishBy}`);
  t.equal(answer.status, 200);
  t.match(answer.headers['content-type'], 'application/x-json-stream');
  const statuses = statusesIn(answer);
  t.match(statuses.at(-1), { image_uuid: image.uuid, state: 'succeeded', bytes_done: MiB + 10_000, account: ALICE });
  t.match(statuses.at(-1), { finish_by: finishBy });
  t.match((await alice(`/my/images/${image.uuid}`)).json, { state: 'active', copied_from: { datacenter: east.name } });
  t.match((await alice(`/my/images/${image.uuid}/copy`)).json, { state: 'succeeded' });
  t.match(statusesIn(await alice(`/my/images/${image.uuid}/copy`, lines)), [{ state: 'succeeded' }]);
  t.equal((await bob(`/my/images/${image.uuid}/copy`)).status, 404);

  await east.alice.updateImage(image.uuid, { description: 'changed since' });
  const changes = [{ field: 'description', to: 'changed since' }];
  t.match((await order(image.uuid, {}, '&dry_run=true')).json, { changes });
  t.equal((await alice(`/my/images/${image.uuid}`)).json.description, undefined);
  t.match((await order(image.uuid)).json, { changes });
  t.equal((await alice(`/my/images/${image.uuid}`)).json.description, 'changed since');
});

t.test('lines come as things happen, and a copy can be canceled', async (t) => {
  const { image } = await makeImage(east.alice, {}, { size: 8 * MiB });
  east.network.trouble = { kind: 'slow', bytesPerSecond: MiB };
  const { json } = await order(image.uuid);
  t.match(json, { image_uuid: image.uuid, state: /queued|running/ });
  const path = `/alice/images/${image.uuid}/copy`;
  const watching = new ImgapiClient({ url: here.url, version: '*' });
  const signed = { ...signedHeaders('GET', path, { as: people.alice }), accept: 'application/x-json-stream' };
  const answer = await watching.send({ method: 'GET', path, headers: signed });
  const first = await answer.body.iterator({ destroyOnReturn: false }).next();
  t.match(JSON.parse(String(first.value).split('\n')[0] ?? ''), { state: /queued|running/ }, 'before the end');
  t.match((await alice(`/my/images/${image.uuid}`)).json, { state: 'copying' });
  for (const action of ['update', 'share', 'clone']) {
    const json = { name: 'x', account: 'bob' };
    const refused = await alice(`/my/images/${image.uuid}?action=${action}`, { method: 'POST', json });
    t.match(refused, { status: 409, json: { code: 'ImageCopyInProgress' } }, action);
  }
  t.match((await alice(`/my/images/${image.uuid}/copy`, { method: 'DELETE' })).json, { state: 'canceled' });
  const rest: Buffer[] = [];
  for await (const chunk of answer.body) rest.push(chunk as Buffer);
  t.match(statusesIn({ bytes: Buffer.concat(rest) }).at(-1), { state: 'canceled' }, 'watchers hear of it');
  t.equal((await alice(`/my/images/${image.uuid}`)).status, 404);
  east.network.trouble = { kind: 'none' };
  await watching.destroy();
});

t.test('what a copy needs to be told', async (t) => {
  const id = '11111111-2222-4333-8444-555555555555';
  const answer = async (path: string) => {
    const { status, json } = await alice(path, { method: 'POST', json: {} });
    return `${status} ${json.code}`;
  };
  for (const action of ['copy-from-dc', 'import-from-datacenter']) {
    t.equal(await answer(`/my/images?action=${action}&id=${id}`), '409 MissingParameter');
    t.equal(await answer(`/my/images?action=${action}&datacenter=${east.name}`), '409 InvalidArgument');
    t.equal(await answer(`/my/images?action=${action}&datacenter=${east.name}&id=nonsense`), '409 InvalidArgument');
    t.equal(await answer(`/my/images?action=${action}&datacenter=nowhere&id=${id}`), '422 ValidationFailed');
    t.equal(await answer(copyPath(id, action)), '404 ResourceNotFound');
  }
  t.equal(await answer(`${copyPath(id)}&dry_run=perhaps`), '409 InvalidArgument');
  t.equal((await alice(`/my/images/${id}/copy?plan=true`)).json.code, 'MissingParameter');
});

t.test('ImportImageFromDatacenter answers with the image when it is here', async (t) => {
  const { image } = await makeImage(east.alice, { name: 'imported' }, { size: MiB });
  const imports = () => alice(copyPath(image.uuid, 'import-from-datacenter'), { method: 'POST', json: {} });
  const answers = await Promise.all([imports(), imports()]);
  for (const { status, json } of answers) {
    t.match({ status, json }, { status: 200, json: { id: image.uuid, name: 'imported', state: 'active' } });
  }
  await west.alice.updateImage(image.uuid, { description: 'changed here' });
  const again = {
    status: 200,
    json: { id: image.uuid, description: 'changed here', copied_from: { datacenter: east.name } },
  };
  t.match(await imports(), again, 'a second time, with what is here, unchanged');
  t.equal((await west.operator.getImageCopy(image.uuid)).kind, 'import-from-datacenter', 'nothing was copied anew');
});

t.test('an import is refused where another image of that UUID is here', async (t) => {
  const { image } = await makeImage(east.alice, { name: 'twice' });
  const manifest = { uuid: image.uuid, name: 'other', version: '1.0.0', type: 'zone-dataset', os: 'smartos', v: 2 };
  for (const owner of [ALICE, BOB]) {
    await west.operator.adminImportImage({ ...manifest, owner } as never);
    const bytes = Buffer.alloc(100, 7);
    const described = { compression: 'none', sha1: sha1Of(bytes), size: bytes.length } as const;
    await west.operator.addImageFile(image.uuid, Readable.from([bytes]), described);
    await west.operator.activateImage(image.uuid);
    const { status, json } = await alice(copyPath(image.uuid, 'import-from-datacenter'), { method: 'POST', json: {} });
    t.match({ status, json }, { status: 409, json: { code: 'ImageUuidAlreadyExists' } }, owner);
    await west.operator.deleteImage(image.uuid);
  }
});

t.test('an import that is canceled, or fails, says so', async (t) => {
  const { image } = await makeImage(east.alice, {}, { size: 4 * MiB });
  east.network.trouble = { kind: 'slow', bytesPerSecond: MiB };
  const waiting = alice(copyPath(image.uuid, 'import-from-datacenter'), { method: 'POST', json: {} });
  await waitFor(
    'the copy to begin',
    async () => (await west.operator.getImageCopy(image.uuid).catch(() => undefined))?.state === 'running',
  );
  await west.alice.cancelImageCopy(image.uuid);
  t.match(await waiting, { status: 409, json: { code: 'ImageCopyCanceled' } });

  const second = alice(copyPath(image.uuid, 'import-from-datacenter'), { method: 'POST', json: {} });
  await waitFor('it to begin again', async () => (await west.operator.getImageCopy(image.uuid)).bytes_done > 0);
  await east.operator.updateImage(image.uuid, { owner: BOB });
  east.network.trouble = { kind: 'none' };
  t.match(await second, { status: 503, json: { code: 'ImageCopyFailed', message: /belongs to another account|not/ } });
  const { json } = await alice(`/my/images/${image.uuid}`);
  t.match(json, { state: 'failed', error: { code: /^[A-Z]/ } }, 'and why, for as long as the placeholder is there');
  t.not(json.error.code, 'InternalError');
});

t.test('an import goes on while IMGAPI restarts', async (t) => {
  const { image } = await makeImage(east.alice, {}, { size: 4 * MiB });
  east.network.trouble = { kind: 'slow', bytesPerSecond: 2 * MiB };
  const waiting = alice(copyPath(image.uuid, 'import-from-datacenter'), { method: 'POST', json: {} });
  await waitFor(
    'the copy to begin',
    async () => (await west.operator.getImageCopy(image.uuid).catch(() => undefined))?.state === 'running',
  );
  await west.restart();
  east.network.trouble = { kind: 'none' };
  t.match(await waiting, { status: 200, json: { id: image.uuid, state: 'active' } });
});

t.test('AdminGetImage has all that IMGAPI knows of an active image of that account', async (t) => {
  const { image } = await makeImage(east.operator, { billing_tags: ['b'], traits: { ssd: true } }, { owner: ALICE });
  await east.alice.addImageAcl(image.uuid, ['bob']);
  const manifest = await admin(`/alice/images/${image.uuid}/manifest`);
  t.match(manifest.json, {
    ...{ uuid: image.uuid, owner: ALICE, acl: ['bob'], billing_tags: ['b'], traits: { ssd: true }, v: 2 },
    files: [{ stor: 'local', sha1: image.files[0]?.sha1 }],
  });
  t.equal((await admin(`/bob/images/${image.uuid}/manifest`)).status, 404, 'shared is not owned');
  t.equal((await admin(`/admin/images/${image.uuid}/manifest`)).status, 200);
  await east.alice.disableImage(image.uuid);
  for (const what of ['manifest', 'file']) {
    t.match(await admin(`/alice/images/${image.uuid}/${what}`), { status: 422, json: { code: 'ImageIsNotActive' } });
  }
});

t.test('AdminGetImageFile sends to a signed URL, or streams', async (t) => {
  const { image, bytes } = await makeImage(east.alice, {}, { size: 200_000 });
  const path = `/alice/images/${image.uuid}/file`;
  const { status, headers, json } = await admin(path);
  t.equal(status, 307);
  t.match(json, { size: 200_000, sha1: sha1Of(bytes) });
  const url = new URL(headers['location'] ?? '');
  const pulled = await asker(t, url.origin)(url.pathname + url.search);
  t.equal(sha1Of(pulled.bytes), sha1Of(bytes), 'whoever holds it needs no key');

  const asked = await admin(`${path}?redirect=false`);
  t.equal(asked.status, 200);
  t.ok(asked.bytes.equals(bytes));
  t.match(asked.headers, {
    etag: sha1Of(bytes),
    'content-length': '200000',
    'content-type': 'application/octet-stream',
  });
  const part = await admin(`${path}?redirect=false`, { headers: { range: 'bytes=100-199' } });
  t.match(part, { status: 206, headers: { 'content-range': 'bytes 100-199/200000' } });
  t.ok(part.bytes.equals(bytes.subarray(100, 200)));
  const head = await admin(`${path}?redirect=false`, { method: 'HEAD' });
  t.match(head, { status: 200, headers: { 'content-length': '200000' } });
  t.equal((await admin(`${path}?redirect=false`, { headers: { range: 'bytes=200000-' } })).status, 416);
  t.equal((await admin(`${path}?redirect=false&index=1`)).status, 404);

  const configured = await asks(streaming.url, people.admin)(path);
  t.equal(configured.status, 200, 'where nobody is sent to the object store');
  t.ok(configured.bytes.equals(bytes));
});
