/** CloudAPI answers what its rows say, and names in its log the operation that was asked for. */
import { Ajv } from 'ajv';
import t from 'tap';
import { CLOUDAPI_VERSIONS, type CloudapiVersion } from '#lib/api/cloudapi/form.ts';
import { CLOUDAPI } from '#lib/api/cloudapi/operations.ts';
import type { Operation } from '#lib/api/operation.ts';
import { ADMIN, ALICE, BOB } from '../../helpers/accounts.ts';
import { asker, cloudapiInProcess, makePeople, type Person } from '../../helpers/cloudapi.ts';
import { MANIFEST, makeImage, sha1Of } from '../../helpers/images.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { waitFor } from '../../helpers/wait.ts';

const people = makePeople();
const server = await startInProcess(t);
const lines: Record<string, unknown>[] = [];
const keys = { datacenters: { 'test-1': 'http://here.example.com' }, uploads: true };
const readers = { uuid: '40700000-0000-4000-8000-000000000001', name: 'readers' };
const accounts = Object.values({ ...people, alice: { ...people.alice, roles: [readers] } });
const cloudapi = await cloudapiInProcess(t, { people: accounts, imgapi: server.url, keys }, lines);
const ask = asker(t, cloudapi.url);

const client = server.client({ account: ALICE });
const { image } = await makeImage(client, { tags: { a: 'b' }, requirements: { min_ram: 256, brand: 'lx' } });
await client.addImageAcl(image.uuid, ['bob', BOB]);
await makeImage(client, { origin: image.uuid });
const { uuid: waiting } = await client.createImage(MANIFEST);
const FILE = { compression: 'none', sha1: sha1Of(Buffer.from('file')), size: 4 } as const;
const begun = await client.beginImageUpload(waiting, FILE);
const { image: admins } = await makeImage(server.client(), {}, { owner: ADMIN });

interface Asked {
  readonly name: keyof typeof CLOUDAPI;
  readonly as?: Person;
  readonly method?: 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly json?: unknown;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const { alice, bob, admin } = people;
const path = `/my/images/${image.uuid}`;
const uploads = `/my/images/${waiting}/uploads`;
const upload = `${uploads}/${begun.uuid}`;
const ASKED: readonly Asked[] = [
  { name: 'Ping', path: '/--ping' },
  { name: 'Healthz', path: '/--healthz' },
  { name: 'OpenApi', path: '/--openapi.json' },
  { name: 'Root', path: '/' },
  { name: 'Docs', path: '/docs' },
  { name: 'Favicon', path: '/favicon.ico' },
  { name: 'GetAccount', as: alice, path: '/my' },
  { name: 'ListKeys', as: alice, path: '/my/keys' },
  { name: 'ListDatacenters', as: alice, path: '/my/datacenters' },
  { name: 'GetKey', as: alice, path: '/my/keys/alice-key' },
  { name: 'GetKey', as: alice, path: '/my/keys/nosuch' },
  { name: 'GetDatacenter', as: alice, path: '/my/datacenters/test-1' },
  { name: 'GetDatacenter', as: alice, path: '/my/datacenters/constructor' },
  { name: 'UpdateAccount', as: alice, method: 'POST', path: '/my', json: { email: 'a@example.com' } },
  { name: 'ListImages', as: alice, path: '/my/images' },
  { name: 'ListImages', as: bob, path: '/my/images?shared=true' },
  { name: 'GetImage', as: alice, path },
  { name: 'GetImage', as: bob, path },
  { name: 'GetImage', as: alice, path: '/my/images/11111111-2222-4333-8444-555555555555' },
  { name: 'GetImageAncestry', as: alice, path: `${path}/ancestry` },
  { name: 'GetImageUsage', as: alice, path: `${path}/usage` },
  { name: 'UpdateImage', as: alice, method: 'POST', path: `${path}?action=update`, json: { eula: 'http://x' } },
  { name: 'UpdateImage', as: alice, method: 'POST', path: `${path}?action=update`, json: { name: 1 } },
  { name: 'ShareImage', as: alice, method: 'POST', path, json: { action: 'share', account: 'carol' } },
  { name: 'ShareImage', as: alice, method: 'POST', path, json: { action: 'share' } },
  { name: 'UnshareImage', as: alice, method: 'POST', path, json: { action: 'unshare', account: 'carol' } },
  { name: 'AcceptImage', as: bob, method: 'POST', path, json: { action: 'accept' } },
  { name: 'AcceptImage', as: alice, method: 'POST', path: `${path}?action=accept` },
  { name: 'GetShareSettings', as: bob, path: '/my/sharesettings' },
  {
    name: 'ChangeShareSettings',
    as: bob,
    method: 'POST',
    path: '/my/sharesettings',
    json: { acceptance: 'automatic' },
  },
  { name: 'ChangeShareSettings', as: bob, method: 'POST', path: '/my/sharesettings', json: { acceptance: 'x' } },
  { name: 'CloneImage', as: bob, method: 'POST', path, json: { action: 'clone' } },
  { name: 'CloneImage', as: alice, method: 'POST', path: `${path}?action=clone` },
  { name: 'ExportImage', as: alice, method: 'POST', path, json: { action: 'export', manta_path: '/alice/x' } },
  { name: 'CreateImageFromMachine', as: alice, method: 'POST', path: '/my/images', json: {} },
  { name: 'CopyImageFromDc', as: alice, method: 'POST', path: '/my/images', json: { action: 'copy-from-dc' } },
  {
    ...{ name: 'ImportImageFromDatacenter', as: alice, method: 'POST', path: '/my/images' },
    json: { action: 'import-from-datacenter' },
  },
  { name: 'GetImageCopy', as: alice, path: `${path}/copy` },
  { name: 'CancelImageCopy', as: alice, method: 'DELETE', path: `${path}/copy` },
  { name: 'ListImageEvents', as: alice, path: `${path}/events?limit=2` },
  { name: 'ListImageEvents', as: bob, path: `${path}/events` },
  { name: 'AdminGetImage', as: admin, path: `/admin/images/${admins.uuid}/manifest` },
  { name: 'AdminGetImageFile', as: admin, path: `/admin/images/${admins.uuid}/file` },
  { name: 'ReplaceAccountRoleTags', as: alice, method: 'PUT', path: '/my', json: { 'role-tag': ['readers'] } },
  { name: 'ReplaceAccountRoleTags', as: alice, method: 'PUT', path: '/my', json: { 'role-tag': 7 } },
  { name: 'ReplaceResourceCollectionRoleTags', as: alice, method: 'PUT', path: '/my/images?role-tag=readers' },
  { name: 'ReplaceResourceCollectionRoleTags', as: alice, method: 'PUT', path: '/my/machines?role-tag=' },
  { name: 'ReplaceResourceRoleTags', as: alice, method: 'PUT', path, json: { 'role-tag': [] } },
  { name: 'ReplaceResourceRoleTags', as: alice, method: 'PUT', path, json: {} },
  {
    name: 'CreateImageFromFile',
    as: alice,
    method: 'POST',
    path: '/my/images?action=create-from-file',
    json: MANIFEST,
  },
  { name: 'CreateImageFromFile', as: alice, method: 'POST', path: '/my/images?action=create-from-file', json: {} },
  { name: 'ActivateImage', as: alice, method: 'POST', path: `/my/images/${waiting}`, json: { action: 'activate' } },
  {
    ...{ name: 'BeginImageUpload', as: alice, method: 'POST', path: `${uploads}?compression=none&sha1=${FILE.sha1}` },
    headers: { 'upload-length': '4' },
  },
  { name: 'GetImageUpload', as: alice, path: upload },
  {
    ...{ name: 'AppendImageUpload', as: alice, method: 'PATCH', path: upload, body: 'fi' },
    headers: { 'upload-offset': '0', 'content-type': 'application/partial-upload' },
  },
  {
    ...{ name: 'AppendImageUpload', as: alice, method: 'PATCH', path: upload, body: 'le' },
    headers: { 'upload-offset': '3', 'content-type': 'application/partial-upload' },
  },
  { name: 'CancelImageUpload', as: alice, method: 'DELETE', path: upload },
  { name: 'UndeleteImage', as: alice, method: 'POST', path, json: { action: 'undelete' } },
  { name: 'DeleteImage', as: alice, method: 'DELETE', path },
  { name: 'ListDeletedImages', as: alice, path: '/my/deletedimages' },
  { name: 'UndeleteImage', as: alice, method: 'POST', path, json: { action: 'undelete' } },
];

const ajv = new Ajv({ strict: false, formats: { uuid: true, 'date-time': true } });

/** What is wrong with an answer that is no error; undefined for nothing. */
function wrongWith(row: Operation, version: CloudapiVersion, status: number, json: unknown): string | undefined {
  const forms = row.replies.filter((reply) => reply.status === status && (reply.versions?.includes(version) ?? true));
  if (forms.length === 0) return `no reply with ${status}`;
  if (forms.some((form) => form.json === undefined || ajv.validate(form.json, json))) return undefined;
  return ajv.errorsText();
}

for (const version of CLOUDAPI_VERSIONS) {
  t.test(`in version ${version}`, async (t) => {
    for (const [index, { name, path: at, ...asked }] of ASKED.entries()) {
      const requestId = `${version}-${index}`;
      const headers = { ...asked.headers, 'accept-version': version, 'x-request-id': requestId };
      const { status, json } = await ask(at, { ...asked, headers });
      const row: Operation = CLOUDAPI[name];
      if (status < 400) t.equal(wrongWith(row, version, status, json), undefined, `${name} ${at}`);
      else t.ok(row.errors.includes(json.code), `${name} ${at}: ${json.code}`);
      if (row.auth === 'none') continue;
      const line = await waitFor('its line in the log', () =>
        lines.find(({ audit, req_id: id }) => audit === true && id === requestId),
      );
      t.match(line, { operation: name, user: asked.as?.login });
    }
  });
}

t.test('no operation is left out', async (t) => {
  t.same(new Set(ASKED.map(({ name }) => name)), new Set(Object.keys(CLOUDAPI)));
});
