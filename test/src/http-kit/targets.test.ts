/** What a request asks for is what its request line says: nothing else takes part in choosing the route. */
import { randomUUID } from 'node:crypto';
import t from 'tap';
import { pathOf, settleTarget } from '#src/http-kit/request-head.ts';
import { isServed } from '../../helpers/listeners.ts';
import { jsonOf, said, statuses } from '../../helpers/raw-socket.ts';
import { startToys } from '../../helpers/toy-listeners.ts';

const listeners = await startToys(t);
const uuid = randomUUID();

/** A whole request with these header lines. */
const request = (line: string, ...headers: string[]) =>
  `${[line, ...headers, 'Connection: close'].join('\r\n')}\r\n\r\n`;

const BAD_HOSTS = [
  `x/images/${uuid}?`,
  'x/ping',
  'x?',
  'x#',
  'user@x',
  '[',
  ']',
  '[::1',
  '[1.2.3.4]',
  'a b',
  'x:y',
  'x:99999',
  '1.2.3.999',
  'x\\y',
  'x%2fy',
  'x,y',
  '',
  'x'.repeat(5000),
];

for (const { name, url, path, ...listener } of listeners) {
  t.test(`on the ${name} listener`, async (t) => {
    for (const host of BAD_HOSTS) {
      await t.test(`Host: ${host.slice(0, 60)} is refused`, async (t) => {
        const text = await said(url, request(`GET ${path} HTTP/1.1`, `Host: ${host}`));
        t.same(statuses(text), [400]);
        t.match(jsonOf(text), { code: 'BadRequest', message: /Host/ });
      });
    }

    await t.test('HTTP/1.1 needs one Host, 1.0 none', async (t) => {
      for (const hosts of [[], ['Host: x', 'Host: x'], ['Host: x', 'hOST: y']]) {
        const text = await said(url, request(`GET ${path} HTTP/1.1`, ...hosts));
        t.same(statuses(text), [400], hosts.join());
        t.match(jsonOf(text), { code: 'BadRequest', message: /Host/ });
      }
      t.same(statuses(await said(url, request(`GET ${path} HTTP/1.0`))), [listener.status]);
    });

    for (const host of ['x', 'X.example.com', 'a_b', '10.1.2.3:80', '[::1]', '[fe80::1]:8080', 'x:', 'x.']) {
      await t.test(`Host: ${host} is fine`, async (t) => {
        t.same(statuses(await said(url, request(`GET ${path} HTTP/1.1`, `Host: ${host}`))), [listener.status]);
      });
    }

    await t.test('an absolute target is served like its path', async (t) => {
      for (const target of [`http://x${path}`, `HTTP://X:80${path}`, `https://x${path}?a=b`]) {
        t.same(statuses(await said(url, request(`GET ${target} HTTP/1.1`, 'Host: x'))), [listener.status], target);
      }
      for (const target of [`http://y${path}`, `http://x:81${path}`, `http://${path}`, `http://u@x${path}`]) {
        t.same(statuses(await said(url, request(`GET ${target} HTTP/1.1`, 'Host: x'))), [400], target);
      }
    });

    await t.test('what is no path is refused', async (t) => {
      for (const target of ['*', 'x', '?', `${path}#`, `${path}#?a=b`, `ftp://x${path}`, `${path}\u00e4`]) {
        const text = await said(url, Buffer.from(request(`GET ${target} HTTP/1.1`, 'Host: x'), 'latin1'));
        t.same(statuses(text), [400], target);
        t.match(jsonOf(text), { code: 'BadRequest' });
      }
      const asterisk = await said(url, request('OPTIONS * HTTP/1.1', 'Host: x'));
      t.match(asterisk, /^HTTP\/1\.1 405 .*\r\nAllow: GET, HEAD, POST, PUT, PATCH, DELETE\r\n/s);
    });

    await t.test('dots, slashes and backslashes are not read as anything', async (t) => {
      for (const target of [`/x/..${path}`, `/.${path}`, `/%2e%2e${path}`, `\\${path}`, `//x${path}`]) {
        const [status = 0] = statuses(await said(url, request(`GET ${target} HTTP/1.1`, 'Host: x')));
        t.ok(status === 404 || status === 400, `${target}: ${status}`);
      }
    });

    await t.test('repeated slashes count as one', async (t) => {
      for (const target of [`/${path}`, `///${path}`, `/${path}//`]) {
        t.same(statuses(await said(url, request(`GET ${target} HTTP/1.1`, 'Host: x'))), [listener.status], target);
      }
    });

    await t.test('all of it has left the listener as it was', async (t) => {
      t.ok(await isServed({ name, url, path, ...listener }));
    });
  });
}

t.test('what is left is path and query, and the path is as it was sent', async (t) => {
  const settled = (url: string, host?: string): string => {
    const request = {
      method: 'GET',
      url,
      httpVersionMajor: 1,
      httpVersionMinor: host === undefined ? 0 : 1,
      headers: host === undefined ? {} : { host },
      rawHeaders: host === undefined ? [] : ['Host', host],
    };
    settleTarget(request);
    return request.url;
  };
  t.equal(settled('/a/../b%2f?x=/y?z', 'h'), '/a/../b%2f?x=/y?z');
  t.equal(settled('http://h/a?b', 'h:80'), '/a?b');
  t.equal(settled('http://h', 'h'), '/');
  t.equal(settled('http://h?a=b'), '/?a=b');
  t.equal(pathOf('/a/../b%2f?x=/y?z'), '/a/../b%2f');
  t.throws(() => settled(`/${'x'.repeat(20_000)}`, 'h'), { name: 'RequestUriTooLong' });
  // More names than are remembered.
  for (let i = 0; i < 300; i += 1) t.equal(settled('/', `${randomUUID()}.example.com`), '/');
});
