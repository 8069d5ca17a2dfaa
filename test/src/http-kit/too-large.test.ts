/** Targets and headers that are too large: told so by status and in the form of any other error, on every listener. */
import { test } from 'tap';
import { isServed } from '../../helpers/listeners.ts';
import { converse, jsonOf, said, statuses } from '../../helpers/raw-socket.ts';
import { startToys } from '../../helpers/toy-listeners.ts';

const KIB = 1024;

test('on every listener', async (t) => {
  for (const listener of await startToys(t)) {
    const { name, url, path, status } = listener;
    const get = (query: string, header = '') =>
      `GET ${path}?${query} HTTP/1.1\r\nHost: x\r\nX-A: ${header}\r\nConnection: close\r\n\r\n`;

    await t.test(`${name}: path and query of 16 KiB are served, longer ones are a 414`, async (t) => {
      t.same(statuses(await said(url, get('x'.repeat(16 * KIB - path.length - 1)))), [status]);
      for (const length of [16 * KIB, 31 * KIB, 40 * KIB, 60 * KIB]) {
        const text = await said(url, get('x'.repeat(length)));
        t.same(statuses(text), [414], `${length}`);
        t.match(jsonOf(text), { code: 'RequestUriTooLong', message: /16384|32768/ });
      }
    });

    await t.test(`${name}: headers of 30 KiB are served, larger ones are a 431`, async (t) => {
      t.same(statuses(await said(url, get('', 'x'.repeat(30 * KIB)))), [status]);
      const many = Array.from({ length: 1500 }, (_, i) => `X-${i}: ${'x'.repeat(30)}`).join('\r\n');
      for (const header of ['x'.repeat(33 * KIB), 'x'.repeat(200 * KIB), many]) {
        const text = await said(url, get('', header));
        t.same(statuses(text), [431], `${header.length}`);
        t.match(jsonOf(text), { code: 'RequestHeaderFieldsTooLarge', message: /32768/ });
      }
    });

    await t.test(`${name}: in pieces, the same`, async (t) => {
      const { socket, ended } = await converse(url, `GET ${path} HTTP/1.1\r\nHost: x\r\n`);
      for (let i = 0; i < 50; i += 1) socket.write(`X-${i}: ${'x'.repeat(KIB)}\r\n`);
      socket.write('\r\n');
      t.same(statuses(await ended()), [431]);
      t.ok(await isServed(listener));
    });
  }
});
