import { test } from 'tap';
import { clientAddress } from '#src/cloudapi/client-address.ts';

const TRUSTED = ['10.0.0.0/8', '2001:db8::/32'];

test('who sent a request is told by the connection, or by proxies that are trusted', async (t) => {
  const addressOf = clientAddress(TRUSTED);
  const cases: readonly [peer: string, forwarded: string | undefined, address: string | undefined][] = [
    ['192.0.2.1', undefined, '192.0.2.1'],
    ['10.0.0.1', undefined, '10.0.0.1'],
    ['10.0.0.1', '192.0.2.1', '192.0.2.1'],
    ['::ffff:10.0.0.1', '192.0.2.1', '192.0.2.1'],
    ['2001:db8::1', '192.0.2.1', '192.0.2.1'],
    ['10.0.0.1', '203.0.113.9, 192.0.2.1', '192.0.2.1'],
    ['10.0.0.1', '192.0.2.1, 10.0.0.2', '192.0.2.1'],
    ['10.0.0.1', 'nonsense', 'nonsense'],
    ['192.0.2.9', '10.0.0.1', undefined],
  ];
  for (const [remoteAddress, forwarded, address] of cases) {
    const headers = { ...(forwarded !== undefined && { 'x-forwarded-for': forwarded }) };
    t.equal(addressOf({ headers, remoteAddress }), address, `${remoteAddress}, ${forwarded}`);
  }
});

test('where no proxy is trusted, nobody is believed', async (t) => {
  const addressOf = clientAddress([]);
  t.equal(addressOf({ headers: { 'x-forwarded-for': '192.0.2.1' }, remoteAddress: '127.0.0.1' }), undefined);
});
