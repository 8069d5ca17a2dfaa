/** Clients that close their side and read on: what they have asked for is answered, whole or with what is wrong. */
import { test } from 'tap';
import { startListener } from '../../helpers/listener.ts';

import { converse, jsonOf, statuses } from '../../helpers/raw-socket.ts';
import { startToys } from '../../helpers/toy-listeners.ts';
import { waitFor } from '../../helpers/wait.ts';

/** Sends all of it, closes its side, and answers what came. */
async function asked(url: string, text: string): Promise<string> {
  const { socket, ended } = await converse(url);
  socket.end(text);
  return ended();
}

test('on every listener', async (t) => {
  for (const { name, url, path, status } of await startToys(t)) {
    await t.test(`${name}: a whole request is answered, and so are several`, async (t) => {
      const get = `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
      t.same(statuses(await asked(url, get)), [status]);
      t.same(statuses(await asked(url, get.repeat(3))), [status, status, status]);
    });

    await t.test(`${name}: a body that is refused before it has come`, async (t) => {
      for (const body of ['Content-Length: 100000000\r\n\r\n{"a":', 'Transfer-Encoding: chunked\r\n\r\n5\r\n{"a"']) {
        const text = await asked(url, `PATCH ${path} HTTP/1.1\r\nHost: x\r\n${body}`);
        t.same(statuses(text), [405], 'by one answer');
        t.match(jsonOf(text), { code: 'MethodNotAllowedError' });
      }
    });

    await t.test(`${name}: half a request`, async (t) => {
      for (const half of ['GE', `GET ${path} HTTP/1.1\r\nHos`]) {
        const text = await asked(url, half);
        t.same(statuses(text), [400], half);
        t.match(jsonOf(text), { code: 'BadRequest' });
      }
      t.same(await asked(url, ''), '', 'and none at all');
    });
  }
});

test('a body that is too large by its length is told so, and one that ends early too', async (t) => {
  const [open] = await startToys(t);
  const json = 'Host: x\r\nContent-Type: application/json';
  const rows: readonly (readonly [url: string | undefined, text: string, status: number, code: string])[] = [
    [open?.url, `POST /json HTTP/1.1\r\n${json}\r\nContent-Length: 2000000\r\n\r\n{`, 413, 'RequestEntityTooLarge'],
    [open?.url, `POST /bytes HTTP/1.1\r\n${json}\r\nContent-Length: 2000000\r\n\r\n{`, 413, 'RequestEntityTooLarge'],
    [open?.url, `POST /json HTTP/1.1\r\n${json}\r\nContent-Length: 2000\r\n\r\n{`, 400, 'BadRequest'],
    [open?.url, `POST /json HTTP/1.1\r\n${json}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{`, 400, 'BadRequest'],
    [open?.url, `POST /json HTTP/1.1\r\n${json}\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{`, 400, 'BadRequest'],
  ];
  for (const [url = '', text, status, code] of rows) {
    const answer = await asked(url, text);
    t.same(statuses(answer), [status], text.slice(0, 100));
    t.match(jsonOf(answer), { code });
  }
});

test('who closes its side waits for an answer that takes a moment, but not for ever', async (t) => {
  const moment = Promise.withResolvers<void>();
  let isGone = false;
  const { url } = await startListener(
    t,
    {
      'GET /soon': async () => {
        await moment.promise;
        return { json: { soon: true } };
      },
    },
    { connections: { halfClosedMs: 60_000 } },
  );
  const soon = await converse(url);
  soon.socket.end('GET /soon HTTP/1.1\r\nHost: x\r\n\r\n');
  // Whatever the server made of the end, it has made before it answers this.
  await asked(url, 'GET /other HTTP/1.1\r\nHost: x\r\n\r\n');
  moment.resolve();
  t.same(statuses(await soon.ended()), [200]);

  const { url: hasty } = await startListener(
    t,
    {
      'GET /never': async ({ signal }) => {
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        isGone = true;
        return {};
      },
    },
    { connections: { halfClosedMs: 50 } },
  );
  t.equal(await asked(hasty, 'GET /never HTTP/1.1\r\nHost: x\r\n\r\n'), '');
  await waitFor('its handler to be told that nobody waits any more', () => isGone);
});
