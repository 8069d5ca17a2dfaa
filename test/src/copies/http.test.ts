/** Copies over HTTP, from a datacenter that is reached through its main port, as an older IMGAPI would be. */
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { type Test, test } from 'tap';
import type { CopyStatus } from '#lib/api/schemas/copy.ts';
import { ADMIN, ALICE, BOB } from '../../helpers/accounts.ts';
import { makeImage } from '../../helpers/images.ts';
import { type InProcess, startInProcess } from '../../helpers/imgapi.ts';
import { startSimpleSource } from '../../helpers/simple-source.ts';
import { waitFor } from '../../helpers/wait.ts';

const NOWHERE = '11111111-2222-4333-8444-555555555555';

interface Two {
  readonly east: InProcess;
  readonly west: InProcess;
  /** A call to west; answers status and body. */
  call(method: string, path: string, version?: string): Promise<{ status: number; body: Body; headers: Headers }>;
}

interface Body extends Partial<CopyStatus> {
  readonly code?: string;
  readonly message?: string;
  readonly errors?: readonly { readonly field: string; readonly code: string }[];
  readonly job_uuid?: string;
  readonly execution?: string;
  readonly chain_results?: readonly { readonly error: unknown }[];
}

async function two(t: Test, keys: object = {}): Promise<Two> {
  const east = await startInProcess(t, { datacenterName: 'east' });
  const imgapiUrlFromDatacenter = { east: east.url, south: 'http://127.0.0.1:9' };
  const west = await startInProcess(t, { datacenterName: 'west', imgapiUrlFromDatacenter, ...keys });
  return {
    east,
    west,
    async call(method, path, version = '~3') {
      const response = await globalThis.fetch(west.url + path, { method, headers: { 'accept-version': version } });
      const text = await response.text();
      return { status: response.status, body: text === '' ? {} : JSON.parse(text), headers: response.headers };
    },
  };
}

async function aliceHas(server: InProcess, fields: object = {}): Promise<string> {
  return (await makeImage(server.client(), fields, { owner: ALICE })).image.uuid;
}

test('a copy is ordered, watched line by line, and ends with the image', async (t) => {
  const { east, west, call } = await two(t);
  const uuid = await aliceHas(east, { acl: [BOB] });
  const response = await globalThis.fetch(
    `${west.url}/images/${uuid}?action=copy-from-dc&datacenter=east&account=${ALICE}`,
    {
      method: 'POST',
      headers: { 'accept-version': '~3', accept: 'application/x-json-stream' },
    },
  );
  t.equal(response.headers.get('content-type'), 'application/x-json-stream');
  const lines = (await response.text())
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as CopyStatus);
  t.match(lines[0], { image_uuid: uuid, account: ALICE, datacenter: 'east', kind: 'copy-from-dc' });
  t.match(lines.at(-1), {
    state: 'succeeded',
    bytes_done: 100_000,
    images: [{ uuid, state: 'succeeded', source: 'imgapi' }],
  });
  t.match(await west.client({ account: ALICE }).getImage(uuid), { state: 'active', owner: ALICE, acl: [BOB] });
  t.match(await call('GET', `/images/${uuid}/copy?account=${ALICE}`), { status: 200, body: { state: 'succeeded' } });
  t.match(await call('GET', `/images/${uuid}/copy?account=${BOB}`), { status: 404 }, 'not for whom it is shared with');
  t.match(await call('GET', '/copies'), { status: 200, body: [{ image_uuid: uuid }] });
  t.match(await call('GET', `/copies?account=${ALICE}`), { status: 403, body: { code: 'OperatorOnly' } });
  t.match(await call('DELETE', `/images/${uuid}/copy?account=${ALICE}`), {
    status: 404,
    body: { message: /from "east" has already ended: succeeded at 2\d{3}-.*; there is nothing to cancel$/ },
  });
  t.match(
    await call('DELETE', `/images/${uuid}/copy?account=${BOB}`),
    { status: 404, body: { message: `no copy of image "${uuid}" is under way` } },
    'nobody else hears of it',
  );
});

test('what is new needs API version 3', async (t) => {
  const { east, call } = await two(t);
  const uuid = await aliceHas(east);
  const paths = [
    ['POST', `/images/${uuid}?action=copy-from-dc&datacenter=east&account=${ALICE}`],
    ['GET', `/images/${uuid}/copy`],
    ['DELETE', `/images/${uuid}/copy`],
    ['GET', '/copies'],
  ] as const;
  for (const [method, path] of paths) {
    t.match(await call(method, path, '*'), { status: 422, body: { message: /send Accept-Version: ~3/ } }, path);
  }
});

test('the checks of import-from-datacenter come in the order that clients know', async (t) => {
  const { east, west, call } = await two(t);
  const alices = await aliceHas(east);
  const { image: bobs } = await makeImage(east.client(), { acl: [ALICE] }, { owner: BOB });
  const { image: hidden } = await makeImage(east.client(), {}, { owner: BOB });
  const { image: draft } = await makeImage(east.client(), {}, { owner: ALICE, activate: false });
  const go = (uuid: string, query: string) =>
    call('POST', `/images/${uuid}?action=import-from-datacenter${query}`, '~2');
  const as = `&account=${ALICE}`;
  t.match(await go(alices, '&account=alice&datacenter=x'), {
    status: 422,
    body: { code: 'ValidationFailed', errors: [{ field: 'account' }] },
  });
  t.match(await go(alices, as), { status: 422, body: { errors: [{ field: 'datacenter', code: 'MissingParameter' }] } });
  for (const wrong of ['north', 'west']) {
    const { status, body } = await go(alices, `${as}&datacenter=${wrong}`);
    t.match(
      { status, body },
      { status: 422, body: { code: 'ValidationFailed', message: /"east", "south"/, errors: [{ code: 'Invalid' }] } },
    );
  }
  t.match(await go(alices, `${as}&datacenter=south`), {
    status: 503,
    // Where it is, is for operators.
    body: {
      code: 'RemoteSourceError',
      message: 'datacenter "south" could not be asked: (hidden) cannot be reached: connect ECONNREFUSED (hidden)',
    },
  });
  t.match(await go(NOWHERE, `${as}&datacenter=east`), { status: 404, body: { code: 'ResourceNotFound' } });
  t.match(await go(hidden.uuid, `${as}&datacenter=east`), { status: 404 });
  t.match(await go(draft.uuid, `${as}&datacenter=east`), { status: 422, body: { code: 'ValidationFailed' } });
  t.match(await go(bobs.uuid, `${as}&datacenter=east`), { status: 401, body: { code: 'UnauthorizedError' } });
  await west.client().adminImportImage({ ...MANIFEST, uuid: alices, owner: BOB });
  t.match(await go(alices, `${as}&datacenter=east`), { status: 409, body: { code: 'ImageUuidAlreadyExists' } });
  t.match(await go(hidden.uuid, `${as}&datacenter=east`), { status: 404 }, 'what is here is told to nobody else');
});

const MANIFEST = {
  v: 2,
  name: 'x',
  version: '1',
  type: 'zone-dataset',
  os: 'smartos',
  published_at: '2026-01-01T00:00:00Z',
};

test('an import is a job that today’s clients can wait for', async (t) => {
  const { east, west, call } = await two(t);
  const base = await aliceHas(east);
  const uuid = await aliceHas(east, { origin: base });
  const started = await call(
    'POST',
    `/images/${uuid}?action=import-from-datacenter&datacenter=east&account=${ALICE}`,
    '~2',
  );
  t.match(started, { status: 200, body: { image_uuid: uuid } });
  const workflow = started.headers.get('workflow-api');
  t.equal(workflow, west.url);
  const again = await call(
    'POST',
    `/images/${uuid}?action=import-from-datacenter&datacenter=east&account=${ALICE}`,
    '~2',
  );
  if (again.status === 200) t.equal(again.body.job_uuid, started.body.job_uuid, 'the same job');
  const job = await waitFor('the job', async () => {
    const { body } = await call('GET', `/jobs/${started.body.job_uuid}`, '~2');
    return body.execution === 'succeeded' && body;
  });
  t.match(job, { name: 'import-remote-image', image_uuid: uuid, chain_results: [{}, {}, { error: '' }] });
  t.match(await call('GET', `/images/${uuid}/jobs?account=${ALICE}`, '~2'), {
    body: [{ uuid: started.body.job_uuid! }],
  });
  t.match(await call('GET', `/images/${uuid}/jobs?execution=failed`, '~2'), { body: [] });
  for (const image of [base, uuid]) t.match(await west.client().getImage(image), { state: 'active', owner: ALICE });
});

test('an operator imports an image with all its origins, by URL', async (t) => {
  const { east, west, call } = await two(t);
  const base = (await makeImage(east.client(), {}, { owner: BOB })).image.uuid;
  const uuid = (await makeImage(east.client(), { origin: base, public: true }, { owner: ADMIN })).image.uuid;
  const source = encodeURIComponent(east.url);
  t.match(await call('POST', `/images/${uuid}?action=import-remote`), {
    status: 422,
    body: { errors: [{ field: 'source' }] },
  });
  t.match(await call('POST', `/images/${uuid}?action=import-remote&source=ftp://x`), { status: 422 });
  const asAlice = await call('POST', `/images/${uuid}?action=import-remote&source=${source}&account=${ALICE}`);
  t.match(asAlice, { status: 403, body: { code: 'OperatorOnly' } });
  t.match(await call('POST', `/images/${NOWHERE}?action=import-remote&source=${source}`), {
    status: 503,
    body: { code: 'RemoteSourceError' },
  });
  const { body } = await call('POST', `/images/${uuid}?action=import-remote&source=${source}`, '~2');
  await waitFor('the job', async () => (await call('GET', `/jobs/${body.job_uuid}`)).body.execution === 'succeeded');
  t.match(await west.client().getImage(uuid), { state: 'active', owner: ADMIN, public: true, origin: base });
  t.match(await west.client().getImage(base), { state: 'active', owner: BOB });
  t.match(await call('POST', `/images/${uuid}?action=import-remote&source=${source}`), { status: 409 });
});

test('what stands for itself in place of a list, or is a number in place of a text, comes with an import too', async (t) => {
  const { west, call } = await two(t);
  const source = await startSimpleSource(t);
  const image = source.add(1000, { acl: BOB, billing_tags: 'xl', name: 12, version: 1.5 });
  const { body } = await call(
    'POST',
    `/images/${image.uuid}?action=import-remote&source=${encodeURIComponent(source.url)}`,
  );
  await waitFor('the job', async () => (await call('GET', `/jobs/${body.job_uuid}`)).body.execution === 'succeeded');
  const fields = { acl: [BOB], billing_tags: ['xl'], name: '12', version: '1.5' };
  t.match(await west.client().getImage(image.uuid), fields);
});

test('DeleteImage of an image that is on its way cancels the copy, and leaves the UUID free', async (t) => {
  const { east, west, call } = await two(t, { copies: { concurrency: 1, bandwidth: { east: 1000 } } });
  const uuid = await aliceHas(east);
  const order = () => call('POST', `/images/${uuid}?action=copy-from-dc&datacenter=east&account=${ALICE}`);
  t.match(await order(), { status: 200, body: { state: 'queued' } });
  t.match(await call('POST', `/images/${uuid}?action=disable&account=${ALICE}`), {
    status: 409,
    body: { code: 'ImageCopyInProgress' },
  });
  t.equal((await call('DELETE', `/images/${uuid}?account=${ALICE}`)).status, 204);
  t.match(await call('GET', `/images/${uuid}/copy?account=${ALICE}`), { status: 200, body: { state: 'canceled' } });
  t.equal((await call('GET', `/images/${uuid}?account=${ALICE}`)).status, 404);
  t.match(await order(), { status: 200, body: { state: 'queued' } });
  t.match(await call('DELETE', `/images/${uuid}/copy?account=${ALICE}`), { status: 200, body: { state: 'canceled' } });
  await east.client().deleteImage(uuid);
  t.match(await west.client().adminImportImage({ ...MANIFEST, uuid, owner: ALICE }), { state: 'unactivated' });
});

test('a source that sends files only from their first byte is asked for all of it again, and the status says so', async (t) => {
  const { east, west, call } = await two(t);
  const uuid = await aliceHas(east);
  let requests = 0;
  // What IMGAPI 4 does: no ranges; and a connection that breaks the first time.
  const old = createServer((request, response) => {
    void globalThis.fetch(east.url + request.url, { headers: { 'accept-version': '*' } }).then(async (answer) => {
      const bytes = Buffer.from(await answer.arrayBuffer());
      response.writeHead(answer.status, {
        'content-type': answer.headers.get('content-type') ?? '',
        'content-length': bytes.length,
      });
      if (!request.url?.includes('/file') || requests++ > 0) return response.end(bytes);
      return response.write(bytes.subarray(0, 40_000), () => setTimeout(() => response.destroy(), 50));
    });
  });
  await new Promise<void>((resolve) => old.listen(0, '127.0.0.1', resolve));
  t.teardown(() => new Promise((resolve) => old.close(resolve)));
  const source = `http://127.0.0.1:${(old.address() as AddressInfo).port}`;
  const order = `/images/${uuid}?action=import-remote&source=${encodeURIComponent(source)}`;
  t.match(await call('POST', `${order}&finish_by=soon`), { status: 422, body: { message: /finish_by is "soon"/ } });
  const finishBy = new Date(Date.now() + 3600_000).toISOString();
  await call('POST', `${order}&finish_by=${finishBy}`);
  const { body } = await waitFor('the end', async () => {
    const answer = await call('GET', `/images/${uuid}/copy`);
    return answer.body.finished_at !== undefined && answer;
  });
  t.match(body, {
    state: 'succeeded',
    finish_by: finishBy,
    images: [{ attempt: 2, note: /only from the first byte/ }],
  });
  t.match(await west.client().getImage(uuid), { state: 'active' });
});

test('Triton’s own client imports and waits', async (t) => {
  const { east, west } = await two(t);
  const uuid = await aliceHas(east);
  const { IMGAPI } = createRequire(import.meta.url)('sdc-clients');
  const client = new IMGAPI({ url: west.url, agent: false });
  t.teardown(() => client.close?.());
  await new Promise<void>((resolve, reject) => {
    client.adminImportRemoteImageAndWait(uuid, east.url, {}, (error: Error | null) =>
      error ? reject(error) : resolve(),
    );
  });
  t.match(await west.client().getImage(uuid), { state: 'active', owner: ALICE });
});
