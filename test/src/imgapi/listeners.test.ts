/** Each listener that there is, is one of the HTTP kit's; what they all do is tested there. */
import { test } from 'tap';
import { isServed, startListeners } from '../../helpers/listeners.ts';
import { jsonOf, said, statuses } from '../../helpers/raw-socket.ts';

const head = (...lines: string[]) => `${lines.join('\r\n')}\r\n\r\n`;

test('requests that cannot be taken are refused alike', async (t) => {
  for (const listener of await startListeners(t, { idleSeconds: 1 })) {
    const { name, url, path, status } = listener;
    const get = `GET ${path} HTTP/1.1`;
    const rows: readonly (readonly [what: string, text: string, status: number, code: string])[] = [
      ['a Host that is none', head(get, 'Host: x/y?'), 400, 'BadRequest'],
      ['a target that is none', head(`GET x${path} HTTP/1.1`, 'Host: x'), 400, 'BadRequest'],
      ['another coding', head(get, 'Host: x', 'Transfer-Encoding: gzip, chunked'), 400, 'InvalidHeader'],
      ['a long target', head(`GET ${path}?${'x'.repeat(17_000)} HTTP/1.1`, 'Host: x'), 414, 'RequestUriTooLong'],
      ['large headers', head(get, 'Host: x', `X: ${'x'.repeat(33_000)}`), 431, 'RequestHeaderFieldsTooLarge'],
      ['another method', head(`PATCH ${path} HTTP/1.1`, 'Host: x', 'Connection: close'), 405, 'MethodNotAllowedError'],
      ['CONNECT', head('CONNECT x:1 HTTP/1.1', 'Host: x'), 405, 'MethodNotAllowedError'],
      ['another expectation', head(get, 'Host: x', 'Expect: x', 'Connection: close'), 417, 'ExpectationFailed'],
      ['nonsense', 'nonsense\r\n\r\n', 400, 'BadRequest'],
      ['silence', get, 408, 'RequestTimeout'],
    ];
    for (const [what, text, refused, code] of rows) {
      await t.test(`${name}: ${what}`, async (t) => {
        const answer = await said(url, text);
        t.same(statuses(answer), [refused]);
        t.match(jsonOf(answer), { code });
      });
    }

    await t.test(`${name}: a request to upgrade is served`, async (t) => {
      t.same(statuses(await said(url, head(get, 'Host: x', 'Connection: Upgrade', 'Upgrade: h2c'))), [status]);
      t.ok(await isServed(listener));
    });
  }
});

test('a body that is too large, ends early or does not come is told so', async (t) => {
  const [main, links] = await startListeners(t, { idleSeconds: 1 });
  const json = 'Host: x\r\nContent-Type: application/json';
  for (const [url = '', line] of [
    [main?.url, 'POST /images HTTP/1.1'],
    [links?.url, 'POST /link/pair HTTP/1.1'],
  ] as const) {
    const large = await said(url, `${line}\r\n${json}\r\nContent-Length: 2000000\r\nConnection: close\r\n\r\n{`);
    t.same(statuses(large), [413], line);
    t.match(jsonOf(large), { code: 'RequestEntityTooLarge' });
    const silent = await said(url, `${line}\r\n${json}\r\nContent-Length: 100\r\n\r\n{`);
    t.same(statuses(silent), [408], line);
    t.match(jsonOf(silent), { code: 'RequestTimeout', message: /no byte of the body arrived for 1 s/ });
  }
});
