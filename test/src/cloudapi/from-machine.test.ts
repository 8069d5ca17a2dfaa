/** Images of machines: what IMGAPI is asked for, what the account is answered, and what it is told when that failed. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json as readJson } from 'node:stream/consumers';
import t from 'tap';
import { ALICE } from '../../helpers/accounts.ts';
import { asker, cloudapiInProcess, makePeople, type Person } from '../../helpers/cloudapi.ts';
import { makeImage } from '../../helpers/images.ts';
import { startInProcess } from '../../helpers/imgapi.ts';

const readers = { uuid: '40700000-0000-4000-8000-000000000001', name: 'readers' };
const made = makePeople();
const alice: Person = { ...made.alice, roles: [readers] };
const people = [alice, made.bob, made.admin];
const MACHINE = '6b1c1d5a-5b0f-4d0a-9c9a-0a0b0c0d0e0f';
const JOB = { image_uuid: '0a6ea3fe-5f9b-4f3a-9e62-2f6b7a0c7f11', job_uuid: '7d1f7a1e-7c77-4b0a-bd2a-0f5d3c1a9b22' };
const ORDER = { machine: MACHINE, name: 'n', version: 'v' };

/** An IMGAPI that makes images of machines, and remembers what it was asked for. */
const asked: { readonly method: string; readonly url: string; readonly body: unknown }[] = [];
const imgapi = createServer(async (request, response) => {
  const { method = '', url = '' } = request;
  asked.push({ method, url, body: method === 'GET' ? undefined : await readJson(request) });
  const answer = url.startsWith('/images?') ? JOB : { roles: [] };
  response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
});
await new Promise<void>((resolve) => void imgapi.listen(0, '127.0.0.1', resolve));
t.teardown(() => {
  imgapi.closeAllConnections();
  imgapi.close();
});
const url = `http://127.0.0.1:${(imgapi.address() as AddressInfo).port}`;
const ask = asker(t, (await cloudapiInProcess(t, { people, imgapi: url })).url);

t.test('IMGAPI gets the fields of the image, and is told to build on that of the machine', async (t) => {
  const fields = {
    ...{ name: 'n', version: 'v', description: 'd', homepage: 'https://h.example.com', eula: 'https://e.example.com' },
    ...{ acl: ['bob'], tags: { a: 'b' } },
  };
  const json = { ...fields, machine: MACHINE, os: 'other', uuid: ALICE, owner: ALICE };
  const answer = await ask('/my/images', { method: 'POST', as: alice, json });
  t.match(answer, {
    status: 201,
    headers: { location: `/alice/images/${JOB.image_uuid}`, 'x-joyent-jobid': JOB.job_uuid, 'api-version': '9.0.0' },
  });
  const { name, version, description, homepage, eula, acl, tags } = fields;
  t.strictSame(answer.json, {
    ...{ id: JOB.image_uuid, name, version, requirements: {}, description, tags, homepage },
    ...{ state: 'creating', eula, acl },
  });
  const { method, url: target, body } = asked.at(-1) ?? {};
  t.equal(method, 'POST');
  const { pathname, searchParams } = new URL(target ?? '', url);
  t.equal(pathname, '/images');
  t.strictSame(Object.fromEntries(searchParams), {
    ...{ action: 'create-from-vm', vm_uuid: MACHINE, incremental: 'true', account: ALICE },
  });
  t.strictSame(body, fields);
});

t.test('the account may want an image that builds on no other', async (t) => {
  for (const incremental of [false, 'false']) {
    await ask('/my/images', { method: 'POST', as: alice, json: { ...ORDER, incremental } });
    t.match(asked.at(-1)?.url, /[?&]incremental=false/);
  }
  const { status, json } = await ask('/my/images?incremental=perhaps', { method: 'POST', as: alice, json: ORDER });
  t.match({ status, json }, { status: 409, json: { code: 'InvalidArgument' } });
});

t.test('parameters may be in the query as well', async (t) => {
  const before = asked.length;
  const query = new URLSearchParams(ORDER);
  t.equal((await ask(`/my/images?${query}`, { method: 'POST', as: alice })).status, 201);
  t.match(asked[before], { url: /action=create-from-vm/, body: { name: 'n', version: 'v' } });
});

t.test('the image is shown as its version shows images', async (t) => {
  const headers = { 'accept-version': '~7.0' };
  const { json, headers: sent } = await ask('/my/images', { method: 'POST', as: alice, json: ORDER, headers });
  t.strictSame(json, { id: JOB.image_uuid, name: 'n', version: 'v', requirements: {} });
  t.equal(sent['api-version'], '7.0.0');
});

t.test('a new image gets the tags that the request names', async (t) => {
  const headers = { 'role-tag': 'readers' };
  t.equal((await ask('/my/images', { method: 'POST', as: alice, json: ORDER, headers })).status, 201);
  t.match(asked.at(-1), { method: 'PUT', url: new RegExp(JOB.image_uuid), body: { roles: [readers.uuid] } });
  const before = asked.length;
  const stranger = { 'role-tag': 'nosuch' };
  const refused = await ask('/my/images', { method: 'POST', as: alice, json: ORDER, headers: stranger });
  t.match(refused, { status: 409, json: { message: 'Role(s) nosuch not found' } });
  t.equal(asked.length, before, 'before anything is made');
});

t.test('what is missing is named before IMGAPI is asked', async (t) => {
  const before = asked.length;
  for (const [name, what] of Object.entries({ machine: 'machine', name: 'Image name', version: 'Image version' })) {
    const json = { ...ORDER, [name]: undefined };
    const { status, json: error } = await ask('/my/images', { method: 'POST', as: alice, json });
    t.match({ status, error }, { status: 409, error: { code: 'MissingParameter' } });
    t.equal(error.message, `${what} is a required argument`);
  }
  t.equal(asked.length, before);
});

t.test('what a real IMGAPI says of it is passed on, and why an image failed', async (t) => {
  const server = await startInProcess(t);
  const askReal = asker(t, (await cloudapiInProcess(t, { people, imgapi: server.url })).url);
  const { status, json } = await askReal('/my/images', { method: 'POST', as: alice, json: ORDER });
  t.match({ status, json }, { status: 501, json: { code: 'NotAvailable' } });

  const { image } = await makeImage(server.client({ account: ALICE }), {}, { activate: false });
  const shown = async (error: object) => {
    await server.client().updateImage(image.uuid, { state: 'failed', error });
    return (await askReal(`/my/images/${image.uuid}`, { as: alice })).json;
  };
  const known = { code: 'VmHasNoOrigin', message: 'it has no origin' };
  t.match(await shown({ ...known, stack: 'secret' }), { state: 'failed', error: known });
  t.strictSame((await shown({ code: 'Strange', message: 'secret' })).error, {
    code: 'InternalError',
    message: 'an unexpected error occurred (Contact support for assistance.)',
  });
});
