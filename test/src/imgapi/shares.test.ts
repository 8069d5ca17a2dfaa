/** What one caller may have of the long work: whoever takes all of it shuts nobody else out. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type Test, test } from 'tap';
import { ALICE, BOB, CAROL } from '../../helpers/accounts.ts';
import { MiB } from '../../helpers/cloud.ts';
import { makeImage } from '../../helpers/images.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { startSimpleSource } from '../../helpers/simple-source.ts';
import { waitFor } from '../../helpers/wait.ts';
import { asker } from './fixtures/ask.ts';

const FEW = { downloads: 4, watches: 4, plans: 4, share: 0.25, operatorPlaces: 1 };
const LINES = { accept: 'application/x-json-stream', 'accept-version': '~3' };
const V3 = { headers: { 'accept-version': '~3' } };

interface Held {
  readonly socket: Socket;
  readonly status: number;
}

/** Asks, and reads no more than the head of the answer. */
async function held(t: Test, url: string, path: string, headers: object = {}): Promise<Held> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.on('error', () => undefined);
  t.teardown(() => socket.destroy());
  const lines = Object.entries({ host: 'x', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`);
  const [head] = (await once(socket, 'data')) as [Buffer];
  socket.pause();
  return { socket, status: Number(head.toString().slice(9, 12)) };
}

test('unread downloads of one account leave places for others, and the last ones are for operators', async (t) => {
  const { url, client } = await startInProcess(t, { limits: FEW });
  const { image } = await makeImage(client({ account: ALICE }), { public: true }, { size: 16 * MiB });
  const ask = asker(t, url);
  const path = `/images/${image.uuid}/file`;
  const status = async (account?: string) =>
    (await ask(account === undefined ? path : `${path}?account=${account}`, { headers: { range: 'bytes=0-3' } }))
      .status;
  const slow = await held(t, url, `${path}?account=${ALICE}`);
  const refused = await ask(`${path}?account=${ALICE}`);
  t.match(refused, { status: 429, json: { code: 'TooManyRequests', message: ALICE }, headers: { 'retry-after': '5' } });
  t.equal(await status(BOB), 206);
  for (const account of [BOB, CAROL]) {
    await waitFor('a place', async () => (await status(account)) === 206);
    await waitFor('one that is held', async () => (await held(t, url, `${path}?account=${account}`)).status === 200);
  }
  const other = '7a000000-0000-4000-8000-00000000000d';
  t.equal(await status(other), 503, 'three of four are taken');
  t.equal(await status(), 206, 'an operator has the last one');
  slow.socket.destroy();
  await waitFor('the share of the account', async () => (await status(ALICE)) === 206);
});

test('watches and plans of one account leave places for others', async (t) => {
  const source = await startSimpleSource(t);
  const { url } = await startInProcess(t, { limits: FEW, imgapiUrlFromDatacenter: { old: source.url } });
  const ask = asker(t, url);
  const image = source.add(1000);
  image.answerFile = (_request, response) => {
    response.writeHead(200, { 'Content-Length': '1000' });
    response.write('x');
  };
  const order = await ask(`/images/${image.uuid}?action=copy-from-dc&account=${ALICE}&datacenter=old`, {
    ...V3,
    method: 'POST',
  });
  t.match(order, { status: 200 }, order.text);
  const copy = `/images/${image.uuid}/copy?account=${ALICE}`;
  const watching = await held(t, url, copy, LINES);
  t.equal(watching.status, 200);
  const lines = { headers: LINES };
  for (const path of [
    copy,
    `${copy}&plan=false`,
    `/images/${image.uuid}?action=copy-from-dc&account=${ALICE}&datacenter=old`,
  ]) {
    const method = path.includes('action') ? 'POST' : 'GET';
    t.match(await ask(path, { ...lines, method }), { status: 429, headers: { 'retry-after': '5' } }, path);
  }
  t.equal((await ask(copy, V3)).status, 200, 'the status, once');
  t.equal((await ask(`/images/${image.uuid}/copy?account=${BOB}`, lines)).status, 404, 'another account is let in');
  t.equal((await held(t, url, '/copies', LINES)).status, 200);
  watching.socket.destroy();
  await waitFor('the place of the watch', async () => (await held(t, url, copy, LINES)).status === 200);

  let asked = 0;
  const slow = source.add(1000);
  slow.answerManifest = () => {
    asked += 1;
  };
  const plan = (account: string) => `/images/${slow.uuid}/copy?account=${account}&plan=true&datacenter=old`;
  const first = ask(plan(ALICE), V3).catch(() => undefined);
  await waitFor('the plan to be under way', async () => asked === 1);
  t.match(await ask(plan(ALICE), V3), { status: 429, json: { message: /plans of copies/ } });
  slow.answerManifest = undefined;
  t.equal((await ask(plan(BOB), V3)).status, 401, 'that of another account is asked for, which is not its owner');
  t.equal((await ask('/ping')).status, 200);
  void first;
});
