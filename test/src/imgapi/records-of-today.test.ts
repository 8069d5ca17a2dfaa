/** Records as today's IMGAPI wrote them over the years: each of their fields may be missing, and none of that is a 500. */
import { randomUUID } from 'node:crypto';
import { test } from 'tap';
import type { ImageRecord } from '#lib/manifest/record.ts';
import { ALICE, BOB } from '../../helpers/accounts.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { type Ask, asker } from './fixtures/ask.ts';
import { BYTES, FILE, ICON, ICON_RECORD, imageRecord, putObject, putRecords } from './fixtures/records.ts';

const { sha256, ...TODAYS_FILE } = FILE;

const WHOLE = {
  ...imageRecord('active', { disabled: false, icon: ICON_RECORD }),
  type: 'zvol',
  os: 'linux',
  urn: 'cloud:alice:an-image:1.0.0',
  description: 'what it is',
  homepage: 'https://example.com/',
  eula: 'https://example.com/eula',
  acl: [BOB],
  requirements: { min_platform: { '7.0': '20130917T001310Z' } },
  users: [{ name: 'root' }],
  billing_tags: ['marked'],
  traits: { ssd: true },
  tags: ['role=db'],
  tagsObj: { role: 'db' },
  generate_passwords: true,
  nic_driver: 'virtio',
  disk_driver: 'virtio',
  cpu_type: 'host',
  image_size: 1024,
  expires_at: String(Date.now() + 3_600_000),
  files: [{ ...TODAYS_FILE, dataset_guid: '123', digest: 'sha256:abc', uncompressedDigest: 'sha256:def' }],
} satisfies Record<string, unknown>;

type Lacking = readonly [what: string, record: Record<string, unknown>];

function without(from: object, field: string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(from).filter(([name]) => name !== field));
}

/** All of it, then each time without one field, or with `null` in its place, and once with as little as there can be. */
function variants(): Lacking[] {
  const fields = Object.keys(WHOLE).filter((field) => field !== 'uuid');
  const file = WHOLE.files[0] ?? {};
  return [
    ['nothing', WHOLE],
    ...fields.map((field): Lacking => [field, without(WHOLE, field)]),
    ...fields.map((field): Lacking => [`${field} (null)`, { ...WHOLE, [field]: null }]),
    ...Object.keys(file).map((key): Lacking => [`files[0].${key}`, { ...WHOLE, files: [without(file, key)] }]),
    ...Object.keys(ICON_RECORD).map((key): Lacking => [`icon.${key}`, { ...WHOLE, icon: without(ICON_RECORD, key) }]),
    ['tags but their search strings', without(WHOLE, 'tagsObj')],
  ];
}

function requests(uuid: string): (readonly [path: string, ask?: Ask])[] {
  const image = `/images/${uuid}`;
  const v3 = { 'accept-version': '~3' };
  return [
    ['/images'],
    [`/images?account=${BOB}&state=all`, { headers: v3 }],
    ...['~1', '~2', '~3'].map((version) => [image, { headers: { 'accept-version': version } }] as const),
    [`${image}?inclAdminFields=true`],
    [`${image}?account=${BOB}`, { headers: v3 }],
    [`${image}/file`],
    [`${image}/file`, { method: 'HEAD' }],
    [`${image}/file`, { headers: { range: 'bytes=1-2', 'if-range': FILE.sha1 } }],
    [`${image}/file`, { headers: { 'if-modified-since': new Date().toUTCString() } }],
    [`${image}/icon`],
    [`${image}/icon`, { method: 'HEAD' }],
    [`${image}/ancestry`, { headers: v3 }],
    [`${image}/file/pull-url`, { method: 'POST', headers: v3 }],
    [`${image}/clone?account=${BOB}`, { method: 'POST', headers: v3 }],
    [`${image}?action=update`, { method: 'POST', json: { description: 'new' } }],
    [`${image}/acl?action=add`, { method: 'POST', json: [BOB] }],
    [`${image}/acl?action=remove`, { method: 'POST', json: [BOB] }],
    [`${image}?action=disable`, { method: 'POST' }],
    [`${image}?action=enable`, { method: 'POST' }],
    [`${image}/icon`, { method: 'DELETE' }],
    [image, { method: 'DELETE' }],
  ];
}

test('no field that is missing makes an answer of 5xx', async (t) => {
  const { imgapi, url } = await startInProcess(t);
  const ask = asker(t, url);
  for (const [what, record] of variants()) {
    const uuid = randomUUID();
    await putRecords(imgapi.service, [{ ...record, uuid, urn: `cloud:alice:${uuid}:1` } as never as ImageRecord]);
    await putObject(imgapi.service, uuid, 'file0', BYTES);
    await putObject(imgapi.service, uuid, 'icon', ICON);
    for (const [path, request = {}] of requests(uuid)) {
      const { status, text } = await ask(path, request).catch((error: unknown) => ({
        status: 599,
        text: String(error),
      }));
      if (status >= 500) t.fail(`without ${what}: ${request.method ?? 'GET'} ${path} answers ${status} ${text}`);
      else if (what === 'nothing') {
        t.ok(status < 300 || status === 304, `${request.method ?? 'GET'} ${path} ${status} ${text}`);
      }
    }
  }
  t.equal((await ask(`/images?account=${ALICE}`)).status, 200);
});
