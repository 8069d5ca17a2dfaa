/** Clients that speak TCP as they like, against a real server with several workers. */
import { test } from 'tap';
import { request } from 'undici';
import { type Conversation, converse, statuses } from '../helpers/raw-socket.ts';
import { waitFor } from '../helpers/wait.ts';
import { startFleet } from '../src/service/supervisor/fleet.ts';

const IDLE = 1500;
/** Of one of two workers: together they take less. */
const MOST = 500;
const FULL = 2 * MOST;
const YOUNG_MS = 1100;
const PIPELINED = 50;
const PING = 'GET /ping HTTP/1.1\r\nHost: x\r\n\r\n';

async function statusOf(url: string): Promise<number> {
  const { statusCode, body } = await request(`${url}/ping`, { reset: true });
  await body.dump();
  return statusCode;
}

test('Two workers and raw clients', async (t) => {
  const { url, pids } = await startFleet(t, 2, { connections: { max: MOST, perAddress: MOST } });
  const before = await pids();

  await t.test(`${PIPELINED} requests in one piece are answered in their order`, async (t) => {
    const paths = Array.from({ length: PIPELINED }, (_, n) => (n % 5 === 4 ? '/nowhere' : '/ping'));
    const last = 'GET /ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
    const sent = paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`).join('');
    const text = await (await converse(url, sent + last)).ended();
    t.same(statuses(text), [...paths.map((path) => (path === '/ping' ? 200 : 404)), 200]);
  });

  await t.test('who closes its side has its answers all the same', async (t) => {
    const asked = Array.from({ length: 20 }, async () => {
      const { socket, ended } = await converse(url);
      socket.end(PING.repeat(3));
      return statuses(await ended());
    });
    for (const found of await Promise.all(asked)) t.same(found, [200, 200, 200]);
  });

  await t.test(`${IDLE} that say nothing keep nobody out: the oldest make room`, async (t) => {
    const idle: Conversation[] = [];
    let closed = 0;
    for (let at = 0; at < IDLE; at += 100) {
      const opened = performance.now();
      // One that has just come may be about to ask. On a busy machine one worker takes nearly all of them at first.
      if (at === MOST - 100 || at === FULL - 100) {
        await waitFor('the others to be old', () => performance.now() - opened > YOUNG_MS);
      }
      idle.push(...(await Promise.all(Array.from({ length: 100 }, () => converse(url)))));
      t.equal(await statusOf(url), 200, `with ${idle.length} of them`);
    }
    for (const { ended } of idle) void ended().then(() => closed++);
    await waitFor('as many to be closed as are too many', () => closed >= IDLE - FULL);
    for (const { socket } of idle) socket.destroy();
    t.equal(await statusOf(url), 200);
  });
  t.same((await pids()).toSorted(), before.toSorted(), 'no worker has died of it');
});
