/** Clients that would rather speak something else: they are answered all the same, and keep nothing open. */
import t from 'tap';
import { isServed } from '../../helpers/listeners.ts';
import { converse, jsonOf, said, statuses } from '../../helpers/raw-socket.ts';
import { startToys } from '../../helpers/toy-listeners.ts';

const listeners = await startToys(t);

const UPGRADES = [
  // As curl --http2 asks.
  ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__'],
  [
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
  ],
  ['Connection: upgrade', 'Upgrade: whatever'],
];

for (const { name, url, path, status } of listeners) {
  t.test(`${name}: a request to upgrade is served as if it had not been one`, async (t) => {
    for (const headers of UPGRADES) {
      const upgrade = [`GET ${path} HTTP/1.1`, 'Host: x', ...headers, '', ''].join('\r\n');
      const text = await said(url, upgrade);
      t.same(statuses(text), [status], headers.join());
      t.match(text, /\r\nConnection: close\r\n/, 'nothing may follow: it could be of the other protocol');
    }
  });

  t.test(`${name}: a body after a request to upgrade is a body`, async (t) => {
    const head = [`POST ${path} HTTP/1.1`, 'Host: x', 'Connection: Upgrade', 'Upgrade: h2c', 'Content-Length: 2'];
    const { socket, ended } = await converse(url, `${head.join('\r\n')}\r\n\r\n`);
    socket.write('{}');
    t.same(statuses(await ended()), [405]);
  });

  t.test(`${name}: CONNECT is refused, and the connection ends`, async (t) => {
    for (const target of ['10.0.0.1:22', 'x:443', path]) {
      const text = await said(url, `CONNECT ${target} HTTP/1.1\r\nHost: x\r\n\r\nfurther bytes`);
      t.same(statuses(text), [405], target);
      t.match(text, /\r\nx-request-id: /i);
      t.match(jsonOf(text), { code: 'MethodNotAllowedError', message: /CONNECT/ });
    }
    // Behind a request whose answer is still to come it is at most not answered.
    const get = `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
    await said(url, `${get}${get}CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n`);
  });

  t.test(`${name}: other expectations than 100-continue are refused`, async (t) => {
    const text = await said(url, `GET ${path} HTTP/1.1\r\nHost: x\r\nExpect: weird\r\nConnection: close\r\n\r\n`);
    t.same(statuses(text), [417]);
    t.match(jsonOf(text), { code: 'ExpectationFailed', message: /"weird"/ });
  });

  t.test(`${name}: and goes on`, async (t) => t.ok(await isServed({ name, url, path, status })));
}
