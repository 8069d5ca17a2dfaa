/** Channels of public and private image servers: which one a request is about, and what it may see and do there. */
import { randomUUID } from 'node:crypto';
import { test } from 'tap';
import { IMAGES, type ImageRecord } from '#lib/manifest/record.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { asker, combinations } from './fixtures/ask.ts';
import { BYTES, ICON, ICON_RECORD, imageRecord, putObject, putRecords } from './fixtures/records.ts';

const DEV = { name: 'dev', description: 'all things new', default: true };
const OTHERS = [
  { name: 'staging', description: 'about to be released' },
  { name: 'release', description: 'released' },
];
const CONFIG = { mode: 'public', authType: 'none', channels: [DEV, ...OTHERS] };
const WITHOUT_DEFAULT = { ...CONFIG, channels: [{ ...DEV, default: false }, ...OTHERS] };

function inChannels(channels: readonly string[], fields: Partial<ImageRecord> = {}): ImageRecord {
  return imageRecord('active', { public: true, channels, icon: ICON_RECORD, ...fields });
}

const READS = ['', '/file', '/icon', '/jobs'];
const WRITES: readonly (readonly [method: string, path: string, json?: unknown])[] = [
  ['POST', '?action=update', { description: 'changed' }],
  ['POST', '?action=disable'],
  ['POST', '?action=enable'],
  ['POST', '?action=channel-add', { channel: 'staging' }],
  ['POST', '/acl', [randomUUID()]],
  ['PUT', '/icon'],
  ['DELETE', '/icon'],
  ['DELETE', ''],
];

function withChannel(path: string, channel: string | undefined): string {
  if (channel === undefined) return path;
  return `${path}${path.includes('?') ? '&' : '?'}channel=${encodeURIComponent(channel)}`;
}

const MISSING = { code: 'ValidationFailed', errors: [{ field: 'channel', code: 'MissingParameter' }] };
const INVALID = { code: 'ValidationFailed', errors: [{ field: 'channel', code: 'Invalid' }] };

test('a read is restricted to the channel it names, to the default one, or with * to none', async (t) => {
  const { imgapi, url } = await startInProcess(t, CONFIG);
  const ask = asker(t, url);
  const memberships = [['dev'], ['staging'], ['dev', 'staging']];
  const records = memberships.map((channels) => inChannels(channels));
  await putRecords(imgapi.service, records);
  for (const { uuid } of records) {
    await putObject(imgapi.service, uuid, 'file0', BYTES);
    await putObject(imgapi.service, uuid, 'icon', ICON);
  }
  for (const channel of [undefined, '', 'dev', 'staging', 'release', '*']) {
    const resolved = channel || 'dev';
    const shown = records.filter(({ channels = [] }) => resolved === '*' || channels.includes(resolved));
    const list = await ask(withChannel('/images', channel));
    t.strictSame(
      list.json.map(({ uuid }: { uuid: string }) => uuid).sort(),
      shown.map(({ uuid }) => uuid).sort(),
      `list in ${channel}`,
    );
    for (const { record, path } of combinations({ record: records, path: READS })) {
      const { status } = await ask(withChannel(`/images/${record.uuid}${path}`, channel));
      t.equal(status, shown.includes(record) ? 200 : 404, `${path} of ${record.channels} in ${channel}`);
    }
  }
});

test('an unknown channel is refused on every route, and * on those that write', async (t) => {
  const { imgapi, url } = await startInProcess(t, CONFIG);
  const ask = asker(t, url);
  const record = inChannels(['dev']);
  await putRecords(imgapi.service, [record]);
  const image = `/images/${record.uuid}`;
  const reads = ['/images', ...READS.map((path) => image + path)].map((path) => ['GET', path] as const);
  const writes = [
    ['POST', '/images'] as const,
    ...WRITES.map(([method, path]) => [method, image + path] as const),
    ['POST', `${image}?action=import`] as const,
    ['POST', `${image}?action=import-remote&source=http://127.0.0.1:1`] as const,
    ['PUT', `${image}/file?compression=none`] as const,
    ['POST', `${image}/file/from-url?compression=none`] as const,
  ];
  for (const channel of ['nothing', 'DEV', ' dev', '__proto__']) {
    for (const [method, path] of [...reads, ...writes]) {
      const answer = await ask(withChannel(path, channel), { method });
      t.equal(answer.status, 422, `${method} ${path} in ${channel}`);
      t.match(answer.json, INVALID);
    }
  }
  for (const [method, path] of writes) t.match((await ask(withChannel(path, '*'), { method })).json, INVALID, path);
  const twice = await ask(`${image}?channel=dev&channel=staging`);
  t.match(twice.json, INVALID, 'two channels are none');
});

test('without a default channel every request names one', async (t) => {
  const { imgapi, url } = await startInProcess(t, WITHOUT_DEFAULT);
  const ask = asker(t, url);
  const record = inChannels(['dev']);
  await putRecords(imgapi.service, [record]);
  const image = `/images/${record.uuid}`;
  const requests = [
    ['GET', '/images'],
    ['POST', '/images'],
    ...READS.map((path) => ['GET', image + path]),
    ...WRITES.map(([method, path]) => [method, image + path]),
  ] as [string, string][];
  for (const [method, path] of requests) {
    const answer = await ask(path, { method });
    t.equal(answer.status, 422, `${method} ${path}`);
    t.match(answer.json, MISSING, path);
  }
  t.equal((await ask(`${image}?channel=dev`)).status, 200);
});

test('what is in another channel cannot be changed: it is not there', async (t) => {
  const { imgapi, url } = await startInProcess(t, CONFIG);
  const ask = asker(t, url);
  const record = inChannels(['staging']);
  await putRecords(imgapi.service, [record]);
  for (const [method, path, json] of WRITES) {
    const answer = await ask(`/images/${record.uuid}${path}`, { method, json });
    t.equal(answer.status, 404, `${method} ${path}`);
    t.strictSame(answer.json, { code: 'ResourceNotFound', message: `image "${record.uuid}" not found` });
  }
});

test('a path that is no UUID comes before the channel, and the channel before the body', async (t) => {
  const { imgapi, url } = await startInProcess(t, CONFIG);
  const ask = asker(t, url);
  const record = inChannels(['dev']);
  await putRecords(imgapi.service, [record]);
  const broken = { body: '{', headers: { 'content-type': 'application/json' } };
  for (const [method, path] of WRITES) {
    const noUuid = await ask(withChannel(`/images/no-uuid${path}`, 'nothing'), { method, ...broken });
    t.equal(noUuid.status, 404, `${method} ${path}`);
    t.equal(noUuid.json.code, 'ResourceNotFound');
    const noChannel = await ask(withChannel(`/images/${record.uuid}${path}`, 'nothing'), { method, ...broken });
    t.match(noChannel.json, INVALID, `${method} ${path}`);
  }
  t.match((await ask('/images?channel=nothing', { method: 'POST', ...broken })).json, INVALID);
});

const MANIFEST = { name: 'a', version: '1', type: 'other', os: 'other', public: true, owner: randomUUID() };

test('what is created or imported is in the channel of the request, whatever its manifest says', async (t) => {
  const { url } = await startInProcess(t, CONFIG);
  const ask = asker(t, url);
  const headers = { 'accept-version': '*' };
  for (const channel of [undefined, 'staging']) {
    const wanted = [channel ?? 'dev'];
    const json = { ...MANIFEST, channels: ['release', 'nothing'] };
    const created = await ask(withChannel('/images', channel), { method: 'POST', json, headers });
    t.strictSame(created.json.channels, wanted, created.text);
    const uuid = randomUUID();
    const path = withChannel(`/images/${uuid}?action=import`, channel);
    const imported = await ask(path, { method: 'POST', json: { ...json, v: 2, uuid }, headers });
    t.strictSame(imported.json.channels, wanted, imported.text);
  }
});

test('channel-add adds one channel, once, from a channel that the image is in', async (t) => {
  const { imgapi, url } = await startInProcess(t, CONFIG);
  const ask = asker(t, url);
  const record = inChannels(['dev']);
  await putRecords(imgapi.service, [record]);
  const add = (json: unknown, channel?: string) =>
    ask(withChannel(`/images/${record.uuid}?action=channel-add`, channel), {
      method: 'POST',
      json,
      headers: { 'accept-version': '*' },
    });
  for (const bad of ['nothing', '*', '', 1, null, ['dev'], { name: 'dev' }]) {
    const answer = await add({ channel: bad });
    t.equal(answer.status, 422, JSON.stringify(bad));
    t.match(answer.json, INVALID);
  }
  for (const body of [{}, [], null, 'dev', 5]) t.match((await add(body)).json, INVALID, JSON.stringify(body));
  t.equal((await add({ channel: 'dev' }, 'staging')).status, 404, 'not in that channel yet');
  const added = await add({ channel: 'staging' });
  t.strictSame(added.json.channels, ['dev', 'staging']);
  t.ok(added.headers['etag']);
  const again = await add({ channel: 'staging' });
  t.strictSame(again.json.channels, ['dev', 'staging']);
  t.equal(again.headers['etag'], added.headers['etag']);
  const stored = await imgapi.service.store.get(IMAGES, record.uuid);
  t.equal(stored?.value.rev, 2, 'the second time nothing is written');
});

test('a placeholder of a copy is put into no channel', async (t) => {
  const { imgapi, url } = await startInProcess(t, CONFIG);
  const ask = asker(t, url);
  for (const [state, code] of [
    ['copying', 'ImageCopyInProgress'],
    ['failed copy', 'ImageCopyFailed'],
  ] as const) {
    const record = imageRecord(state, { public: true, channels: ['dev'] });
    await putRecords(imgapi.service, [record]);
    const answer = await ask(`/images/${record.uuid}?action=channel-add`, {
      method: 'POST',
      json: { channel: 'staging' },
    });
    t.equal(answer.status, 409);
    t.equal(answer.json.code, code);
  }
});

test('a deletion takes the image out of the channel, and away with the last one or by force', async (t) => {
  const { imgapi, url } = await startInProcess(t, CONFIG);
  const ask = asker(t, url);
  const headers = { 'accept-version': '*' };
  const channelsOf = async (uuid: string): Promise<unknown> => {
    const { status, json } = await ask(`/images/${uuid}?channel=*`, { headers });
    return status === 200 ? json.channels : status;
  };
  const cases: readonly (readonly [before: string[], query: string, status: number, after: unknown])[] = [
    [['dev'], '', 204, 404],
    [['dev', 'staging'], '', 204, ['staging']],
    [['dev', 'staging'], '?channel=staging', 204, ['dev']],
    [['dev', 'staging'], '?channel=release', 404, ['dev', 'staging']],
    [['dev', 'staging'], '?force_all_channels=true', 204, 404],
    [['dev', 'staging'], '?force_all_channels=false', 204, ['staging']],
    [['dev', 'staging'], '?force_all_channels=maybe', 422, ['dev', 'staging']],
  ];
  for (const [before, query, status, after] of cases) {
    const record = inChannels(before);
    await putRecords(imgapi.service, [record]);
    t.equal((await ask(`/images/${record.uuid}${query}`, { method: 'DELETE' })).status, status, `${before} ${query}`);
    t.strictSame(await channelsOf(record.uuid), after, `${before} ${query}`);
  }
});

test('only what builds on an image in the same channel keeps it there', async (t) => {
  const { imgapi, url } = await startInProcess(t, CONFIG);
  const ask = asker(t, url);
  const origin = inChannels(['dev', 'staging']);
  const child = inChannels(['staging'], { origin: origin.uuid });
  await putRecords(imgapi.service, [origin, child]);
  const inStaging = await ask(`/images/${origin.uuid}?channel=staging`, { method: 'DELETE' });
  t.equal(inStaging.status, 422);
  t.equal(inStaging.json.code, 'ImageHasDependentImages');
  t.equal((await ask(`/images/${origin.uuid}?channel=dev`, { method: 'DELETE' })).status, 204);
});

test('channels are listed as configured; update sets them freely, to anything that is text', async (t) => {
  const { imgapi, url } = await startInProcess(t, CONFIG);
  const ask = asker(t, url);
  t.strictSame((await ask('/channels')).json, CONFIG.channels);
  const record = inChannels(['dev']);
  await putRecords(imgapi.service, [record]);
  const update = (channels: unknown) =>
    ask(`/images/${record.uuid}?action=update`, {
      method: 'POST',
      json: { channels },
      headers: { 'accept-version': '~2' },
    });
  t.strictSame((await update(['dev', 'retired'])).json.channels, ['dev', 'retired']);
  for (const bad of ['dev', [1], {}, [null]]) {
    const answer = await update(bad);
    t.equal(answer.status, 422, JSON.stringify(bad));
    t.match(answer.json, { code: 'ValidationFailed', errors: [{ field: 'channels', code: 'Invalid' }] });
  }
});

for (const mode of ['public', 'private', 'dc'] as const) {
  test(`without channels in the config a ${mode} server ignores the parameter and has no action for them`, async (t) => {
    const { imgapi, url } = await startInProcess(t, { mode, authType: 'none' });
    const ask = asker(t, url);
    const record = imageRecord('active', { public: mode === 'public' });
    await putRecords(imgapi.service, [record]);
    const missing = await ask('/channels');
    t.equal(missing.status, 404);
    t.equal(missing.json.code, 'ResourceNotFound');
    for (const channel of ['dev', '*', 'nothing']) {
      t.equal((await ask(`/images/${record.uuid}?channel=${channel}`)).status, 200);
      t.equal((await ask(`/images?channel=${channel}`)).json.length, 1);
    }
    const answer = await ask(`/images/${record.uuid}?action=channel-add`, { method: 'POST', json: { channel: 'dev' } });
    t.equal(answer.status, 422);
    t.match(answer.json, { code: 'InvalidParameter', errors: [{ field: 'action', code: 'Invalid' }] });
  });
}
