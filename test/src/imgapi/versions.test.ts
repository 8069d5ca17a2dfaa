/** Which view of an image each Accept-Version gets, and what is refused to those who do not ask for version 3. */
import { randomUUID } from 'node:crypto';
import { test } from 'tap';
import { ALICE } from '../../helpers/accounts.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { asker } from './fixtures/ask.ts';
import { FILE, imageRecord, putRecords } from './fixtures/records.ts';

const CHANNELS = [{ name: 'dev', description: 'all things new', default: true }];

/** `undefined` sends no header. */
const RANGES: readonly (readonly [range: string | undefined, view: 1 | 2 | 3])[] = [
  [undefined, 1],
  ['~1', 1],
  ['1.0.0', 1],
  ['1.x', 1],
  ['^1.0.0', 1],
  ['<2.0.0', 1],
  ['>=1 <2', 1],
  ['~2', 2],
  ['2.0.0', 2],
  ['2', 2],
  ['*', 2],
  ['', 2],
  ['x', 2],
  ['>=1', 2],
  ['>1', 2],
  ['~1 || ~2', 2],
  ['~2 || ~3', 2],
  ['<3', 2],
  ['>=2', 2],
  ['1.0.0 - 3.0.0', 2],
  ['~3', 3],
  ['3.0.0', 3],
  ['3', 3],
  ['>=3', 3],
  ['>2', 3],
  ['^3.0.0', 3],
  ['~1 || ~3', 3],
];

const REFUSED = [
  '~99',
  '4.0.0',
  '>3',
  '<1',
  '~0',
  '2.1.0',
  '~1, ~2',
  'junk',
  'latest',
  'v',
  '~',
  '>=',
  '1.0.0.0',
  '{}',
  'null',
  '!',
  `~1${' || ~1'.repeat(1000)}`,
  '9'.repeat(200),
];

test('each Accept-Version gets its view: channels from 2 on, and what came later only where 2.0.0 is left out', async (t) => {
  const { imgapi, url } = await startInProcess(t, { mode: 'public', channels: CHANNELS });
  const ask = asker(t, url);
  const record = imageRecord('active', { public: true, channels: ['dev'] });
  await putRecords(imgapi.service, [record]);
  for (const [range, view] of RANGES) {
    const headers: Record<string, string> = range === undefined ? {} : { 'accept-version': range };
    const one = await ask(`/images/${record.uuid}`, { headers });
    const list = await ask('/images', { headers });
    for (const image of [one.json, list.json[0]]) {
      t.strictSame(image.channels, view === 1 ? undefined : ['dev'], `${range}`);
      t.equal(image.files[0].sha256, view === 3 ? FILE.sha256 : undefined, `${range}`);
    }
    t.equal(one.headers['vary'], 'Accept-Version');
  }
});

test('a range that no served version satisfies is 400 InvalidVersion, on every route and before all else', async (t) => {
  const { url } = await startInProcess(t, { authType: 'signature' });
  const ask = asker(t, url);
  for (const range of REFUSED) {
    const answer = await ask('/ping', { headers: { 'accept-version': range } });
    t.equal(answer.status, 400, range.slice(0, 40));
    t.equal(answer.json.code, 'InvalidVersion');
    t.match(answer.json.message, '~1, ~2 or ~3');
    t.ok(answer.text.length < 500);
  }
  const routes = [
    ['GET', '/images?limit=x'],
    ['GET', '/images/no-uuid'],
    ['GET', `/images/${randomUUID()}/file`],
    ['POST', '/images?account=x'],
    ['PUT', `/images/${randomUUID()}/file`],
    ['DELETE', `/images/${randomUUID()}`],
    ['POST', `/images/${randomUUID()}?action=copy-from-dc`],
    ['GET', '/state'],
  ] as const;
  for (const [method, path] of routes) {
    const answer = await ask(path, { method, headers: { 'accept-version': '~99' } });
    t.equal(answer.json.code, 'InvalidVersion', `${method} ${path}`);
  }
});

test('a new action asked for without version 3 is a 422 that says what to send', async (t) => {
  const { imgapi, url } = await startInProcess(t);
  const ask = asker(t, url);
  const record = imageRecord('active');
  await putRecords(imgapi.service, [record]);
  const image = `/images/${record.uuid}`;
  const routes = [
    ['POST', `${image}?action=copy-from-dc&datacenter=elsewhere&account=${ALICE}`],
    ['GET', `${image}/copy`],
    ['GET', `${image}/copy?plan=true&datacenter=elsewhere&account=${ALICE}`],
    ['DELETE', `${image}/copy`],
    ['GET', '/copies'],
    ['GET', `${image}/ancestry`],
    ['GET', `/images?shared=true&account=${ALICE}`],
    ['GET', '/images?shared=false'],
    ['GET', '/images?after=x'],
  ] as const;
  for (const [method, path] of routes) {
    for (const version of [undefined, '~1', '~2', '*', '2.0.0']) {
      const headers: Record<string, string> = version === undefined ? {} : { 'accept-version': version };
      const answer = await ask(path, { method, headers });
      t.equal(answer.status, 422, `${method} ${path} in ${version}`);
      t.match(answer.json, { code: 'InvalidParameter', errors: [{ field: 'Accept-Version', code: 'Invalid' }] });
      t.match(answer.json.message, 'send Accept-Version: ~3');
      t.match(answer.json.message, path.startsWith('/images?') ? /^parameter "/ : /^action "/, path);
    }
    const answer = await ask(path, { method, headers: { 'accept-version': '~3' } });
    t.notMatch(answer.text, 'send Accept-Version', `${method} ${path} in ~3`);
  }
});

test('a login in an ACL needs version 3, and older versions are told what an entry is there', async (t) => {
  const { imgapi, url } = await startInProcess(t);
  const ask = asker(t, url);
  const record = imageRecord('active');
  await putRecords(imgapi.service, [record]);
  for (const version of ['~1', '~2', '*', '~3']) {
    const headers = { 'accept-version': version };
    const added = await ask(`/images/${record.uuid}/acl`, { method: 'POST', json: ['bob'], headers });
    const updated = await ask(`/images/${record.uuid}?action=update`, {
      method: 'POST',
      json: { acl: ['bob'] },
      headers,
    });
    t.strictSame([added.status, updated.status], version === '~3' ? [200, 200] : [422, 422], version);
    if (version !== '~3') {
      t.match(added.json, { code: 'InvalidParameter', errors: [{ field: 'acl', code: 'Invalid' }] });
    }
  }
});

test('the 2.0.0 view has no field, state or ACL form but those of old', async (t) => {
  const { imgapi, url } = await startInProcess(t);
  const ask = asker(t, url);
  const extras = {
    copied_from: { datacenter: 'elsewhere', at: '2026-01-01T00:00:00.000Z' },
    cloned_from: { uuid: randomUUID(), owner: ALICE },
    shares: [{ entry: 'bob', shared_at: '2026-01-01T00:00:00.000Z' }],
  };
  const records = [imageRecord('active', extras), imageRecord('copying', extras), imageRecord('failed copy', extras)];
  await putRecords(imgapi.service, records);
  const expected = {
    '~2': { states: ['active', 'creating', 'failed'], fields: ['error'] },
    '~3': {
      states: ['active', 'copying', 'failed'],
      fields: ['acl', 'cloned_from', 'copied_from', 'error', 'owner_login', 'sha256'],
    },
  };
  const known = new Set([
    ...['v', 'uuid', 'owner', 'name', 'version', 'state', 'disabled', 'public', 'published_at', 'type', 'os', 'files'],
    ...['sha1', 'size', 'compression'],
  ]);
  for (const version of ['*', '~2', '~3'] as const) {
    const { states, fields } = expected[version === '*' ? '~2' : version];
    const images = await Promise.all(
      records.map(async ({ uuid }) => (await ask(`/images/${uuid}`, { headers: { 'accept-version': version } })).json),
    );
    t.strictSame(
      images.map(({ state }) => state),
      states,
      version,
    );
    const seen = images.flatMap((image) => [...Object.keys(image), ...Object.keys(image.files[0] ?? {})]);
    t.strictSame([...new Set(seen)].filter((field) => !known.has(field)).sort(), fields, version);
  }
});
