/** Which URLs lead to the servers of a data folder. */
import { test } from 'tap';
import { isReachedBy } from '#src/service/config/listening.ts';

const cases: readonly [string, string, boolean][] = [
  ['http://127.0.0.1:8080', 'http://127.0.0.1:8080', true],
  ['http://127.0.0.1:8080', 'http://localhost:8080', true],
  ['http://127.0.0.1:8080', 'http://127.0.0.1:8081', false],
  ['http://127.0.0.1:8080', 'http://127.0.0.2:8080', false],
  ['http://127.0.0.1:8080', 'http://127.0.0.1.nip.invalid:8080', false],
  ['http://127.0.0.1:8080', 'http://192.0.2.77:8080', false],
  ['http://[::1]:8080', 'http://localhost:8080', true],
  ['http://0.0.0.0:80', 'http://127.0.0.1', true],
  ['http://0.0.0.0:80', 'http://203.0.113.77', false],
  ['http://[::]:80', 'http://[::1]', true],
  ['http://203.0.113.77:80', 'http://203.0.113.77', true],
  ['http://203.0.113.77:80', 'http://127.0.0.1', false],
];

for (const [server, url, isReached] of cases) {
  test(`${url} ${isReached ? 'leads' : 'does not lead'} to what listens at ${server}`, async (t) => {
    t.equal(isReachedBy([server], url), isReached);
  });
}

test('without a server nothing leads there', async (t) => {
  t.equal(isReachedBy([], 'http://127.0.0.1:8080'), false);
});
