/** If-Match, If-None-Match, If-Modified-Since and If-Unmodified-Since, on images, files, icons and writes. */
import { randomUUID } from 'node:crypto';
import { type Test, test } from 'tap';
import { ALICE } from '../../helpers/accounts.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { type Answer, type Asker, asker } from './fixtures/ask.ts';
import {
  BYTES,
  FILE,
  ICON,
  ICON_RECORD,
  imageRecord,
  MTIME,
  PUBLISHED,
  putObject,
  putRecords,
} from './fixtures/records.ts';

type Headers = Readonly<Record<string, string>>;

const OTHER = '0123456789abcdef0123456789abcdef01234567';

/** The forms in which a tag may be named. */
function formsOf(tag: string): string[] {
  return [
    tag,
    `"${tag}"`,
    `W/"${tag}"`,
    `W/${tag}`,
    `"${OTHER}", "${tag}"`,
    `${OTHER},${tag}`,
    `"a", W/"${tag}" , "b"`,
  ];
}

const FORMS_OF_ANOTHER = [OTHER, `"${OTHER}"`, `W/"${OTHER}"`, '"a", "b"', '""', ','];

interface Fixture {
  readonly ask: Asker;
  readonly uuid: string;
  readonly image: string;
  readonly etag: string;
}

async function imageWithAll(t: Test): Promise<Fixture> {
  const { imgapi, url } = await startInProcess(t);
  const ask = asker(t, url);
  const record = imageRecord('active', { icon: ICON_RECORD });
  await putRecords(imgapi.service, [record]);
  await putObject(imgapi.service, record.uuid, 'file0', BYTES);
  await putObject(imgapi.service, record.uuid, 'icon', ICON);
  const image = `/images/${record.uuid}`;
  const { headers } = await ask(image);
  return { ask, uuid: record.uuid, image, etag: headers['etag']! };
}

test('reads answer 304 to their own tag in If-None-Match, and 412 to another one in If-Match', async (t) => {
  const { ask, image, etag } = await imageWithAll(t);
  const targets = [
    ['', etag],
    ['/file', FILE.sha1],
    ['/icon', ICON_RECORD.sha1],
  ] as const;
  for (const [path, tag] of targets) {
    for (const method of ['GET', 'HEAD']) {
      const statusOf = async (headers: Headers): Promise<number> => {
        const answer = await ask(image + path, { method, headers });
        t.equal(answer.headers['etag'], answer.status === 412 ? undefined : tag, `${path} ${answer.status}`);
        if (answer.status === 304 || method === 'HEAD') t.equal(answer.text, '');
        if (answer.status === 412 && method === 'GET') t.equal(answer.json.code, 'PreconditionFailed');
        return answer.status;
      };
      for (const form of [...formsOf(tag), '*', '*, "a"']) {
        t.equal(await statusOf({ 'if-none-match': form }), 304, `${method} ${path} If-None-Match ${form}`);
        t.equal(await statusOf({ 'if-match': form }), 200, `${method} ${path} If-Match ${form}`);
      }
      for (const form of FORMS_OF_ANOTHER) {
        t.equal(await statusOf({ 'if-none-match': form }), 200, `${method} ${path} If-None-Match ${form}`);
        t.equal(await statusOf({ 'if-match': form }), 412, `${method} ${path} If-Match ${form}`);
      }
      t.equal(await statusOf({ 'if-match': OTHER, 'if-none-match': tag }), 412, 'If-Match comes first');
      t.equal(await statusOf({ 'if-match': tag, 'if-none-match': tag }), 304);
    }
  }
});

test('files and icons have tags of their own: that of the manifest is not theirs', async (t) => {
  const { ask, image, etag } = await imageWithAll(t);
  for (const path of ['/file', '/icon']) {
    t.equal((await ask(image + path, { headers: { 'if-none-match': etag } })).status, 200);
    t.equal((await ask(image + path, { headers: { 'if-match': etag } })).status, 412);
  }
});

test('a tag is that of one version and viewer', async (t) => {
  const { ask, image, etag } = await imageWithAll(t);
  const other = await ask(image, { headers: { 'accept-version': '~3', 'if-none-match': etag } });
  t.equal(other.status, 200);
  t.not(other.headers['etag'], etag);
  const asOwner = await ask(`${image}?account=${ALICE}`, { headers: { 'if-none-match': etag } });
  t.equal(asOwner.status, 304, 'the owner sees what an operator sees');
});

test('files and icons know when they were stored, to the second; manifests do not', async (t) => {
  const { ask, image } = await imageWithAll(t);
  const stored = new Date(MTIME);
  const seconds = (offset: number): string => new Date(stored.getTime() + offset * 1000).toUTCString();
  const table: readonly (readonly [headers: Headers, status: number])[] = [
    [{ 'if-modified-since': seconds(0) }, 304],
    [{ 'if-modified-since': seconds(1) }, 304],
    [{ 'if-modified-since': seconds(86_400) }, 304],
    [{ 'if-modified-since': seconds(-1) }, 200],
    [{ 'if-modified-since': 'yesterday' }, 200],
    [{ 'if-modified-since': '' }, 200],
    [{ 'if-unmodified-since': seconds(0) }, 200],
    [{ 'if-unmodified-since': seconds(1) }, 200],
    [{ 'if-unmodified-since': seconds(-1) }, 412],
    [{ 'if-unmodified-since': 'yesterday' }, 200],
    // A tag says more than a date.
    [{ 'if-none-match': OTHER, 'if-modified-since': seconds(0) }, 200],
    [{ 'if-match': '*', 'if-modified-since': seconds(0) }, 304],
    [{ 'if-match': OTHER, 'if-modified-since': seconds(0) }, 412],
    [{ 'if-modified-since': seconds(-1), 'if-unmodified-since': seconds(-1) }, 412],
  ];
  for (const path of ['/file', '/icon']) {
    for (const method of ['GET', 'HEAD']) {
      for (const [headers, status] of table) {
        const answer = await ask(image + path, { method, headers });
        t.equal(answer.status, status, `${method} ${path} ${JSON.stringify(headers)}`);
        if (status !== 412) t.equal(answer.headers['last-modified'], seconds(0));
      }
    }
  }
  for (const [headers] of table) {
    if ('if-match' in headers) continue;
    t.equal((await ask(image, { headers })).status, 200, `manifest ${JSON.stringify(headers)}`);
  }
  t.equal((await ask(image)).headers['last-modified'], undefined);
});

const GUARDED = [
  { action: 'update', json: { description: 'changed' } },
  { action: 'disable' },
  { action: 'enable' },
] as const;

test('update, enable and disable take If-Match, and change nothing when it does not hold', async (t) => {
  for (const { action, ...body } of GUARDED) {
    const { ask, image } = await imageWithAll(t);
    const act = (headers: Headers) => ask(`${image}?action=${action}`, { method: 'POST', headers, ...body });
    const tagNow = async (): Promise<string> => (await ask(image)).headers['etag']!;
    const before = await tagNow();
    const bad: readonly Headers[] = [
      ...FORMS_OF_ANOTHER.map((form) => ({ 'if-match': form })),
      ...[...formsOf(before), '*'].map((form) => ({ 'if-none-match': form })),
    ];
    for (const headers of bad) {
      const answer = await act(headers);
      t.equal(answer.status, 412, `${action} ${JSON.stringify(headers)}`);
      t.equal(answer.json.code, 'PreconditionFailed');
      t.equal(await tagNow(), before);
    }
    for (const form of [...formsOf(before).keys(), -1]) {
      const tag = await tagNow();
      const answer = await act({ 'if-match': formsOf(tag)[form] ?? '*' });
      t.equal(answer.status, 200, `${action} form ${form}`);
      t.equal(answer.headers['etag'], await tagNow(), 'the answer has the new tag');
    }
    t.equal((await act({ 'if-none-match': OTHER })).status, 200);
  }
});

test('activate takes If-Match', async (t) => {
  const { imgapi, url } = await startInProcess(t);
  const ask = asker(t, url);
  const record = imageRecord('unactivated');
  await putRecords(imgapi.service, [record]);
  const image = `/images/${record.uuid}`;
  const { headers } = await ask(image);
  const activate = (tag: string) => ask(`${image}?action=activate`, { method: 'POST', headers: { 'if-match': tag } });
  t.equal((await activate(OTHER)).status, 412);
  t.equal((await ask(image)).json.state, 'unactivated');
  t.equal((await activate(headers['etag']!)).status, 200);
  t.equal((await activate(headers['etag']!)).status, 412, 'the condition comes before what the action needs');
});

test('the tag that a write is guarded with is that of the version and account it is asked with', async (t) => {
  const { ask, image } = await imageWithAll(t);
  const update = (headers: Headers, account = '') =>
    ask(`${image}?action=update${account}`, { method: 'POST', json: { description: randomUUID() }, headers });
  for (const version of ['~1', '~2', '*', '~3']) {
    const { headers } = await ask(image, { headers: { 'accept-version': version } });
    const tag = headers['etag']!;
    const isVersion3 = version === '~3';
    const other = await update({ 'accept-version': isVersion3 ? '~2' : '~3', 'if-match': tag });
    t.equal(other.status, 412, version);
    t.equal((await update({ 'accept-version': version, 'if-match': tag }, `&account=${ALICE}`)).status, 200, version);
  }
});

test('of many writes guarded with one tag exactly one is made', async (t) => {
  const { ask, image, etag } = await imageWithAll(t);
  const answers = await Promise.all(
    Array.from({ length: 24 }, (_, i) =>
      ask(`${image}?action=update`, {
        method: 'POST',
        json: { description: `writer ${i}` },
        headers: { 'if-match': `"${etag}"` },
      }),
    ),
  );
  const made = answers.filter(({ status }) => status === 200);
  t.equal(made.length, 1);
  t.equal(answers.filter(({ status }) => status === 412).length, 23);
  t.equal((await ask(image)).json.description, made[0]?.json.description);
});

test('whatever writes to an image looks at its condition, and a write without one is made', async (t) => {
  const { imgapi, url } = await startInProcess(t);
  const ask = asker(t, url);
  const requests = [
    { method: 'POST', path: '?action=update', json: { homepage: 'https://example.com/' } },
    { method: 'POST', path: '?action=disable' },
    { method: 'POST', path: '/acl', json: [ALICE] },
    { method: 'POST', path: '/acl?action=remove', json: [ALICE] },
    { method: 'PUT', path: '/icon', body: ICON, type: 'image/png' },
    { method: 'PUT', path: '/file?compression=none', body: BYTES, type: 'application/octet-stream' },
    { method: 'POST', path: '?action=change-stor&stor=local' },
    { method: 'DELETE', path: '' },
  ];
  for (const { path, type, ...request } of requests) {
    const record = imageRecord('unactivated');
    await putRecords(imgapi.service, [record]);
    const image = `/images/${record.uuid}`;
    const send = (headers: Headers): Promise<Answer> =>
      ask(image + path, {
        ...request,
        headers: { ...headers, ...(type === undefined ? {} : { 'content-type': type }) },
      });
    const { headers: before } = await ask(image);
    const failing: readonly Headers[] = [
      { 'if-match': OTHER },
      { 'if-none-match': before['etag']! },
      { 'if-none-match': '*' },
    ];
    for (const headers of failing) {
      const answer = await send(headers);
      t.match(answer, { status: 412, json: { code: 'PreconditionFailed' } }, `${request.method} ${path}`);
    }
    t.equal((await ask(image)).headers['etag'], before['etag'], 'nothing was written');
    const answer = await send({ 'if-match': before['etag']! });
    t.ok(answer.status < 300, `${request.method} ${path}: ${answer.status} ${answer.text}`);
    if (answer.status === 200) t.match(answer.headers['etag'], /^[0-9a-f]{40}$/);
  }
});

test('lists and the other reads send no tag and look at no condition', async (t) => {
  const { ask, image } = await imageWithAll(t);
  for (const path of ['/images', `${image}/jobs`, `${image}/ancestry`, '/ping', '/state']) {
    const headers = {
      'accept-version': '~3',
      'if-match': OTHER,
      'if-modified-since': new Date(PUBLISHED).toUTCString(),
    };
    const answer = await ask(path, { headers });
    t.equal(answer.status, 200, path);
    t.equal(answer.headers['etag'], undefined, path);
  }
});
