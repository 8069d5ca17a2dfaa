import { randomBytes, randomUUID } from 'node:crypto';
import t from 'tap';
import { ALICE } from '../../../helpers/accounts.ts';
import { MANIFEST, makeImage, sha1Of } from '../../../helpers/images.ts';
import { startInProcess } from '../../../helpers/imgapi.ts';
import { waitFor } from '../../../helpers/wait.ts';
import { type Answers, fakeSource, fakeTlsSource, json, reply, bytes as sendBytes } from '../fake-source.ts';
import { bytesOf, objectsOf, refusal, send, staged } from '../fixture.ts';

const LIMIT = 100_000;

const server = await startInProcess(t, { limits: { fileBytes: LIMIT }, allowInsecure: true });
const operator = server.client();
const alice = server.client({ account: ALICE });
const other = await startInProcess(t, { datacenterName: 'other' });
const otherOperator = other.client();

/** An image here that waits for its file, with the UUID of one elsewhere. */
async function waiting(uuid: string = randomUUID()): Promise<string> {
  await operator.adminImportImage({ ...MANIFEST, v: 2, uuid, owner: ALICE });
  return uuid;
}

/** What a source says of an image with this file. */
function manifestOf(uuid: string, file: object): object {
  return { ...MANIFEST, v: 2, uuid, owner: ALICE, public: true, state: 'active', disabled: false, files: [file] };
}

const noStaging = () => waitFor('staging to be empty', async () => (await staged(server.dataDir)).length === 0);

t.test('a file is fetched from another IMGAPI with all that is said of it there', async (t) => {
  const bytes = randomBytes(60_000);
  const { image } = await makeImage(otherOperator, { public: true }, { owner: ALICE, bytes, activate: false });
  await send(other.url, {
    method: 'PUT',
    path: `/images/${image.uuid}/file?compression=xz&dataset_guid=4711`,
    body: bytes,
  });
  await otherOperator.activateImage(image.uuid);
  await waiting(image.uuid);
  const fetched = await operator.addImageFileFromSource(image.uuid, other.url);
  t.match(fetched.files, [{ sha1: sha1Of(bytes), size: 60_000, compression: 'xz', dataset_guid: '4711' }]);
  t.ok((await bytesOf((await operator.getImageFile(image.uuid)).stream)).equals(bytes));
  t.equal((await operator.activateImage(image.uuid)).state, 'active');
  t.match(await refusal(operator.addImageFileFromSource(image.uuid, other.url)), { code: 'ImageFilesImmutable' });
});

t.test('an empty file of another IMGAPI is taken as it is', async (t) => {
  const uuid = await waiting();
  const nothing = Buffer.alloc(0);
  const source = await fakeSource(t, {
    [`/images/${uuid}`]: json(manifestOf(uuid, { sha1: sha1Of(nothing), size: 0, compression: 'none' })),
    [`/images/${uuid}/file`]: sendBytes(nothing),
  });
  t.match((await operator.addImageFileFromSource(uuid, source.url)).files, [{ size: 0 }]);
});

t.test('what a source may do wrong', async (t) => {
  const content = randomBytes(50_000);
  const good = { sha1: sha1Of(content), size: content.length, compression: 'gzip' };
  const served = sendBytes(content);
  type Wrong = (uuid: string) => Answers;
  const manifest = (file: object, answer = served): Wrong => {
    return (uuid) => ({ [`/images/${uuid}`]: json(manifestOf(uuid, file)), [`/images/${uuid}/file`]: answer });
  };
  const instead =
    (value: unknown): Wrong =>
    (uuid) => ({ [`/images/${uuid}`]: json(value) });
  const rows: readonly [what: string, answers: Wrong, status: number, code: string][] = [
    ['have no such image', () => ({}), 503, 'RemoteSourceError'],
    ['answer null', instead(null), 503, 'RemoteSourceError'],
    ['answer with another image', instead(manifestOf(randomUUID(), good)), 503, 'RemoteSourceError'],
    ['answer a list', instead([]), 503, 'RemoteSourceError'],
    ['say nothing of files', instead({}), 503, 'RemoteSourceError'],
    ['say that files is a number', instead({ files: 7 }), 503, 'RemoteSourceError'],
    ['have no file', instead({ files: [] }), 503, 'RemoteSourceError'],
    ['have null for a file', instead({ files: [null] }), 503, 'RemoteSourceError'],
    ['name another compression', manifest({ ...good, compression: 'zip' }), 503, 'RemoteSourceError'],
    ['say that the size is a text', manifest({ ...good, size: '50000' }), 503, 'RemoteSourceError'],
    ['have no sha1', manifest({ ...good, sha1: undefined }), 503, 'RemoteSourceError'],
    ['answer with something that is no JSON', (uuid) => ({ [`/images/${uuid}`]: served }), 503, 'RemoteSourceError'],
    [
      'have the manifest only',
      (uuid) => ({ [`/images/${uuid}`]: json(manifestOf(uuid, good)) }),
      503,
      'RemoteSourceError',
    ],
    ['send other bytes', manifest(good, sendBytes(randomBytes(50_000))), 400, 'Download'],
    ['send fewer bytes', manifest({ ...good, size: 50_001 }), 400, 'Download'],
    ['send more bytes', manifest({ ...good, size: 49_999 }), 400, 'Download'],
    ['announce too many bytes', manifest({ ...good, size: LIMIT + 1 }), 400, 'Upload'],
    [
      'send without an end',
      manifest(good, (_request, response) => {
        response.writeHead(200);
        const more = () => response.write(content, more);
        more();
      }),
      400,
      // Where it said that the file ends, and not where no file may go on.
      'Download',
    ],
    [
      'hang up in the middle',
      manifest(good, (_request, response) => {
        response.writeHead(200, { 'content-length': content.length });
        response.write(content.subarray(0, 10_000), () => response.destroy());
      }),
      503,
      'RemoteSourceError',
    ],
    [
      'redirect',
      (uuid) => ({
        [`/images/${uuid}`]: (_request, response) => reply(response, 302, { location: `${other.url}/images` }),
      }),
      503,
      'RemoteSourceError',
    ],
  ];
  for (const [what, answers, status, code] of rows) {
    await t.test(`it may ${what}: ${status} ${code}, and nothing is kept`, async (t) => {
      const uuid = await waiting();
      const source = await fakeSource(t, answers(uuid));
      t.match(await refusal(operator.addImageFileFromSource(uuid, source.url)), { status, code });
      t.same((await operator.getImage(uuid)).files, []);
      t.same(await objectsOf(server.dataDir, uuid), []);
      await noStaging();
    });
  }

  await t.test('it may answer with a manifest that does not end: little of it is read', async (t) => {
    const [uuid, absent] = [await waiting(), randomUUID()];
    let sent = 0;
    const endless: Answers[string] = (_request, response) => {
      const more = () => {
        do sent += 256 * 1024;
        while (!response.destroyed && response.write(' '.repeat(256 * 1024)));
      };
      response.on('drain', more);
      more();
    };
    const source = await fakeSource(t, { [`/images/${uuid}`]: endless, [`/images/${absent}`]: endless });
    for (const take of [
      () => operator.addImageFileFromSource(uuid, source.url),
      () => operator.adminImportFromSource(absent, source.url),
    ]) {
      sent = 0;
      t.match(await refusal(take()), { status: 503, code: 'RemoteSourceError' });
      t.ok(sent < 64 * 1024 * 1024, `${sent} bytes were sent`);
    }
  });

  await t.test('it may not be there at all', async (t) => {
    const uuid = await waiting();
    const refused = await refusal(operator.addImageFileFromSource(uuid, 'http://127.0.0.1:1'));
    t.match(refused, {
      ...{ status: 503, code: 'RemoteSourceError' },
      message: `http://127.0.0.1:1/images/${uuid} cannot be reached: connect ECONNREFUSED 127.0.0.1:1`,
    });
  });
});

t.test('a source is named by an http or https URL', async (t) => {
  const uuid = await waiting();
  for (const source of ['', 'imgapi', 'ftp://example.com', 'file:///etc/passwd', 'http://']) {
    const path = `/images/${uuid}/file?source=${encodeURIComponent(source)}`;
    t.match(
      await send(server.url, { method: 'PUT', path }),
      {
        status: 422,
        json: { code: 'InvalidParameter', errors: [{ field: 'source' }] },
      },
      source,
    );
  }
  const twice = `/images/${uuid}/file?source=http://a&source=http://b`;
  t.match(await send(server.url, { method: 'PUT', path: twice }), { status: 422 });
});

t.test('sources and URLs are for operators', async (t) => {
  const { uuid } = await alice.createImage({ ...MANIFEST });
  const source = await fakeSource(t, {});
  t.match(await refusal(alice.addImageFileFromSource(uuid, source.url)), { status: 403, code: 'OperatorOnly' });
  const fromUrl = alice.addImageFileFromUrl(uuid, { file_url: 'https://127.0.0.1/x' }, { compression: 'none' });
  t.match(await refusal(fromUrl), { status: 403, code: 'OperatorOnly' });
  t.same(source.requests, []);
});

t.test('a file is fetched from an https URL', async (t) => {
  const content = randomBytes(40_000);
  const source = await fakeTlsSource(t, {
    '/image.zfs.gz': sendBytes(content),
    '/big': sendBytes(randomBytes(LIMIT + 1)),
    '/empty': sendBytes(Buffer.alloc(0)),
    '/moved': (_request, response) => reply(response, 302, { location: '/image.zfs.gz' }),
    '/broken': (_request, response) => reply(response, 500),
    '/short': (_request, response) => {
      response.writeHead(200, { 'content-length': 1000 });
      response.write('x', () => response.destroy());
    },
  });
  const uuid = await waiting();
  const fetch = (path: string, more: object = {}) =>
    operator.addImageFileFromUrl(uuid, { file_url: source.url + path }, { compression: 'gzip', ...more });

  await t.test('with or without a hash that it must have', async (t) => {
    t.match((await fetch('/image.zfs.gz?a=b')).files, [{ sha1: sha1Of(content), size: 40_000, compression: 'gzip' }]);
    t.match((await fetch('/image.zfs.gz', { sha1: sha1Of(content), dataset_guid: '1' })).files, [
      { dataset_guid: '1' },
    ]);
    t.same(source.requests[0], 'GET /image.zfs.gz?a=b');
  });

  for (const [path, code] of [
    ['/big', 'Upload'],
    ['/empty', 'Download'],
    ['/moved', 'Download'],
    ['/broken', 'Download'],
    ['/short', 'Download'],
    ['/absent', 'Download'],
  ] as const) {
    await t.test(`but not ${path}: 400 ${code}, and the file that was there stays`, async (t) => {
      t.match(await refusal(fetch(path)), { status: 400, code });
      t.match((await operator.getImage(uuid)).files, [{ sha1: sha1Of(content) }]);
      await noStaging();
    });
  }

  await t.test('nor with another hash', async (t) => {
    t.match(await refusal(fetch('/image.zfs.gz', { sha1: '0'.repeat(40) })), { status: 400, code: 'Download' });
  });

  await t.test('nor from a server that cannot be reached', async (t) => {
    const refused = await refusal(
      operator.addImageFileFromUrl(uuid, { file_url: 'https://127.0.0.1:1/' }, { compression: 'none' }),
    );
    t.match(refused, {
      ...{ status: 400, code: 'Download' },
      message: 'https://127.0.0.1:1/ cannot be reached: connect ECONNREFUSED 127.0.0.1:1',
    });
  });
});

t.test('the checks of a fetch from a URL come in their order', async (t) => {
  const uuid = await waiting();
  const { image: active } = await makeImage(operator, {}, { owner: ALICE, size: 10 });
  const path = (of: string, query: string) => `/images/${of}/file/from-url?${query}`;
  const rows: readonly [string, unknown, object][] = [
    [path(active.uuid, ''), {}, { code: 'ImageFilesImmutable' }],
    [path(uuid, 'storage=tape'), {}, { errors: [{ field: 'compression', code: 'Missing' }] }],
    [path(uuid, 'compression=zip'), {}, { errors: [{ field: 'compression', code: 'Invalid' }] }],
    [path(uuid, 'compression=gzip&storage=tape'), {}, { errors: [{ field: 'file_url', code: 'Missing' }] }],
    [path(uuid, 'compression=gzip'), null, { errors: [{ field: 'file_url', code: 'Missing' }] }],
    [path(uuid, 'compression=gzip'), 'text', { errors: [{ field: 'file_url', code: 'Missing' }] }],
    ...[null, 7, {}, ['https://a'], '', 'http://example.com/x', 'file:///etc/passwd', 'https://'].map(
      (file_url): [string, unknown, object] => [
        path(uuid, 'compression=gzip&storage=tape'),
        { file_url },
        { errors: [{ field: 'file_url', code: 'Invalid' }] },
      ],
    ),
    [
      path(uuid, 'compression=gzip&storage=tape'),
      { file_url: 'https://127.0.0.1:1/' },
      { errors: [{ field: 'storage', code: 'Invalid' }] },
    ],
    [path(uuid, 'compression=gzip&sha1=x'), { file_url: 'https://127.0.0.1:1/' }, { errors: [{ field: 'sha1' }] }],
  ];
  for (const [at, body, expected] of rows) {
    const answer = await send(server.url, {
      method: 'POST',
      path: at,
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    });
    t.match(answer, { status: 422, json: expected }, `${at.split('?')[1]} ${JSON.stringify(body)}`);
  }
});

t.test('where private addresses are not allowed', async (t) => {
  const guarded = await startInProcess(t, { mode: 'public', authType: 'none', allowInsecure: true });
  const client = guarded.client();
  const source = await fakeSource(t, {});
  const tls = await fakeTlsSource(t, {});
  const port = new URL(source.url).port;
  const { uuid } = await client.createImage({ ...MANIFEST, owner: ALICE, public: true });
  const hosts = ['127.0.0.1', 'localhost', '[::1]', '[::ffff:127.0.0.1]', '2130706433', '0x7f.1', '0.0.0.0', '[::]'];

  for (const host of hosts) {
    await t.test(`nothing is fetched from ${host}`, async (t) => {
      const url = `http://${host}:${port}`;
      t.match(await refusal(client.addImageFileFromSource(uuid, url)), { status: 422, code: 'InvalidParameter' });
      t.match(await refusal(client.adminImportFromSource(randomUUID(), url)), { status: 422, message: /private/ });
      const secure = `https://${host}:${new URL(tls.url).port}/x`;
      const fromUrl = client.addImageFileFromUrl(uuid, { file_url: secure }, { compression: 'none' });
      t.match(await refusal(fromUrl), { status: 422, message: /private/ });
    });
  }

  t.same([...source.requests, ...tls.requests], [], 'no connection was used');
});
