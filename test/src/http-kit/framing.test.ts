/** Where one request ends and the next begins is never a matter of opinion, and each answer is of the request it follows. */
import { test } from 'tap';
import { isServed } from '../../helpers/listeners.ts';
import { converse, said, statuses } from '../../helpers/raw-socket.ts';
import { startToys } from '../../helpers/toy-listeners.ts';

const NEXT = 'GET /next HTTP/1.1\r\nHost: x\r\n\r\n';

test('on every listener', async (t) => {
  for (const listener of await startToys(t)) {
    const { name, url, path, status } = listener;
    const chunked = (coding: string, version = 'HTTP/1.1') =>
      `GET ${path} ${version}\r\nHost: x\r\nConnection: keep-alive\r\n${coding}\r\n\r\n0\r\n\r\n${NEXT}`;

    for (const coding of ['gzip, chunked', 'chunked;q=1', 'x, chunked', 'deflate,chunked', 'identity', 'chunked, x']) {
      await t.test(`${name}: Transfer-Encoding: ${coding} is refused, and what follows is not read`, async (t) => {
        t.same(statuses(await said(url, chunked(`Transfer-Encoding: ${coding}`))), [400]);
      });
    }

    await t.test(`${name}: HTTP/1.0 has no chunks`, async (t) => {
      t.same(statuses(await said(url, chunked('Transfer-Encoding: chunked', 'HTTP/1.0'))), [400]);
    });

    for (const coding of ['chunked', 'CHUNKED']) {
      await t.test(`${name}: Transfer-Encoding: ${coding} is fine`, async (t) => {
        const { socket, ended } = await converse(url, chunked(`Transfer-Encoding: ${coding}`));
        socket.end();
        t.equal(statuses(await ended())[0], status);
      });
    }

    await t.test(`${name}: what is unreadable behind requests takes no answer from them`, async (t) => {
      const good = `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
      for (const bad of [
        'Bad\r\n\r\n',
        'GET / HTTP/1.1\r\nBad Header\r\n\r\n',
        '\u0000',
        `GET / HTTP/1.1\r\n${'x'.repeat(40_000)}`,
      ]) {
        const text = await said(url, `${good}${good}${bad}${good}`);
        t.same(statuses(text).slice(0, 2), [status, status], JSON.stringify(bad.slice(0, 30)));
        t.match(statuses(text)[2], /^4/);
        t.equal(statuses(text).length, 3);
      }
    });

    t.ok(await isServed(listener));
  }
});
