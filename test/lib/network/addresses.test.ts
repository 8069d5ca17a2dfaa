import { test } from 'tap';
import { type AddressKind, heldIpv4, isSameAddress, kindOfAddress, networkOf } from '#lib/network/addresses.ts';

const KINDS: Readonly<Record<AddressKind, readonly string[]>> = {
  public: ['8.8.8.8', '172.15.0.1', '172.32.0.1', '100.63.255.255', '2606:4700::1', '2a00::1'],
  loopback: ['127.0.0.1', '127.255.255.254', '::1', '0:0:0:0:0:0:0:1'],
  private: ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', '100.64.0.1', 'fc00::1', 'fdff::1'],
  nowhere: ['0.0.0.0', '0.1.2.3', '255.255.255.255', '224.0.0.1', '::', 'ff02::1'],
  special: [
    ...['169.254.169.254', '192.0.0.1', '198.18.0.1', '240.0.0.1', 'fe80::1', 'fe80::1%eth0', 'fec0::1', 'feff::1'],
    ...['::ffff:127.0.0.1', '::ffff:7f00:1', '::ffff:8.8.8.8', '::127.0.0.1', '::7f00:1', '::8.8.8.8', '::2'],
    ...['64:ff9b::a00:1', '64:ff9b::10.0.0.1', '64:ff9b:1::a00:1', '2002:a00:1::', '2001::1', '::ffff:0:a00:1'],
    ...['nonsense', '', '1.2.3', '127.1.evil.example'],
  ],
};

test('every address is of one kind, in whatever form it is written', async (t) => {
  for (const [kind, addresses] of Object.entries(KINDS)) {
    for (const address of addresses) t.equal(kindOfAddress(address), kind, address);
  }
});

test('private addresses are told from public ones', async (t) => {
  const inside = [
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '127.255.255.254',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    'fc00::1',
    'fd12::1',
    'fe80::1',
    'ff02::1',
    '::ffff:10.0.0.1',
    '::ffff:a00:1',
    '64:ff9b::a00:1',
    '2002:a00:1::',
    '::ffff:8.8.8.8',
    '::8.8.8.8',
    'fec0::1',
    '64:ff9b:1::808:808',
  ];
  for (const address of inside) t.not(kindOfAddress(address), 'public', address);
  const outside = ['8.8.8.8', '172.15.0.1', '172.32.0.1', '192.167.1.1', '100.63.0.1', '2606:4700::1'];
  for (const address of outside) t.equal(kindOfAddress(address), 'public', address);
});

test('the IPv4 address within an IPv6 form is found', async (t) => {
  for (const [address, held] of [
    ['::ffff:127.0.0.1', '127.0.0.1'],
    ['::ffff:7f00:1', '127.0.0.1'],
    ['::7f00:1', '127.0.0.1'],
    ['::127.0.0.1', '127.0.0.1'],
    ['64:ff9b::a00:1', '10.0.0.1'],
    ['64:ff9b:1::10.0.0.1', '10.0.0.1'],
    ['2002:a00:1::', '10.0.0.1'],
    ['::1', undefined],
    ['::', undefined],
    ['10.0.0.1', undefined],
    ['2606:4700::1', undefined],
  ] as const) {
    t.equal(heldIpv4(address), held, address);
  }
  t.ok(isSameAddress('::ffff:7f00:1', '127.0.0.1'));
  t.ok(isSameAddress('0:0::1', '::1'));
  t.notOk(isSameAddress('nonsense', 'nonsense'));
});

test('addresses of one network count as one', async (t) => {
  t.equal(networkOf('192.0.2.1'), '192.0.2.1');
  t.equal(networkOf('::ffff:192.0.2.1'), '192.0.2.1');
  t.equal(networkOf('2001:db8:1:2:3:4:5:6'), networkOf('2001:db8:1:2::9'));
  t.not(networkOf('2001:db8:1:2::9'), networkOf('2001:db8:1:3::9'));
  t.equal(networkOf(''), '');
});
