import { networkInterfaces } from 'node:os';
import { test } from 'tap';
import { AddressRefusedError } from '#lib/client/errors.ts';
import { refusalOf } from '#src/datacenters/peers/address-guard.ts';
import { OwnAddresses } from '#src/service/own-addresses.ts';

const PORT = 8080;

function guarded(...urls: string[]) {
  const ownAddresses = new OwnAddresses();
  for (const url of urls) ownAddresses.add(url);
  return { ownAddresses };
}

const refused = (named: boolean, host: string, address = host, service = guarded()) =>
  refusalOf(service, { host, address, port: PORT }, named) instanceof AddressRefusedError;

test('what was not named leads to public addresses only', async (t) => {
  for (const address of ['8.8.8.8', '2606:4700::1']) t.notOk(refused(false, 'a.example.com', address), address);
  for (const address of ['127.0.0.1', '::1', '169.254.169.254', '10.0.0.1', 'fd00::1', 'fec0::1', 'fe80::1']) {
    t.ok(refused(false, address), address);
    t.ok(refused(false, 'a.example.com', address), `a name at ${address}`);
  }
  for (const address of ['::ffff:8.8.8.8', '::8.8.8.8', '64:ff9b::808:808', '0.0.0.0', '::', '224.0.0.1', 'ff02::1']) {
    t.ok(refused(false, 'a.example.com', address), `a name at ${address}`);
  }
});

test('an address that an operator named may be anywhere but nowhere', async (t) => {
  for (const address of ['127.0.0.1', '::1', '169.254.169.254', '10.0.0.1', 'fd00::1', '::ffff:127.0.0.1', 'fec0::1']) {
    t.notOk(refused(true, address), address);
  }
  for (const address of ['0.0.0.0', '::', '224.0.0.1', '255.255.255.255']) t.ok(refused(true, address), address);
});

test('a name that an operator gave leads into private networks, but not to what only this machine knows', async (t) => {
  for (const address of ['8.8.8.8', '10.0.0.1', 'fd00::1', '64:ff9b::808:808', '64:ff9b::a00:1', '::ffff:10.0.0.1']) {
    t.notOk(refused(true, 'imgapi.us-west-1.example.com', address), address);
  }
  for (const address of ['127.0.0.1', '::1', '::ffff:127.0.0.1', '64:ff9b::7f00:1', '169.254.169.254', 'fe80::1']) {
    t.ok(refused(true, 'imgapi.us-west-1.example.com', address), address);
  }
  for (const host of ['localhost', 'west.localhost', 'LOCALHOST.']) t.notOk(refused(true, host, '127.0.0.1'), host);
  t.ok(refused(true, 'notlocalhost', '127.0.0.1'));
});

test('our own listeners are refused under every form, whoever named them', async (t) => {
  const forms = ['127.0.0.1', '::ffff:127.0.0.1', '::ffff:7f00:1', '::7f00:1', '64:ff9b::7f00:1', '0.0.0.0', '::'];
  const bound = guarded('http://127.0.0.1:8080');
  for (const address of forms) t.ok(refused(true, address, address, bound), address);
  t.ok(refused(true, 'localhost', '127.0.0.1', bound));
  t.notOk(refused(true, '127.0.0.2', '127.0.0.2', bound), 'somebody else listens there');
  t.notOk(refused(true, '127.0.0.1', '127.0.0.1', guarded('http://127.0.0.1:8081')), 'nor on another port');

  for (const anywhere of [guarded('http://0.0.0.0:8080'), guarded('http://[::]:8080')]) {
    const own = Object.values(networkInterfaces()).flatMap((found) => found?.map(({ address }) => address) ?? []);
    for (const address of [...forms, '127.0.0.2', '::1', ...own]) {
      t.ok(refused(true, address, address, anywhere), address);
    }
    t.notOk(refused(true, '10.255.255.1', '10.255.255.1', anywhere));
  }
});
