import { test } from 'tap';
import { Connections } from '#src/copies/transfer/connections.ts';
import { loadConfig } from '#src/service/config/load.ts';

async function config(connections = 16) {
  const keys = { mode: 'dc', datacenterName: 'us-own-1', adminUuid: '930896af-bf8c-48d4-885c-6573a94b1853' };
  return (await loadConfig(undefined, { ...keys, accounts: { file: '/none' }, copies: { connections } })).config;
}

test('a transfer takes more connections for as long as they bring more', async (t) => {
  const connections = new Connections(await config());
  t.equal(connections.most, 4);
  connections.measured(100);
  t.equal(connections.most, 8);
  connections.measured(105);
  t.equal(connections.most, 8, 'as good as nothing more');
  connections.measured(200);
  connections.measured(400);
  t.equal(connections.most, 16, 'no more than it may');
  connections.end();
});

test('a line that is full is tried again after a while', async (t) => {
  const connections = new Connections(await config());
  connections.measured(100);
  for (let at = 0; at < 39; at += 1) connections.measured(100);
  t.equal(connections.most, 8);
  connections.measured(100);
  t.equal(connections.most, 9);
  connections.end();
});

test('a connection that broke is not replaced at once, and the last one is', async (t) => {
  const connections = new Connections(await config());
  connections.lost(3);
  t.equal(connections.most, 3);
  connections.lost(0);
  t.equal(connections.most, 1);
  connections.end();
});

test('transfers of one process have the same share of what there is, and each has one', async (t) => {
  const own = await config(64);
  const all = Array.from({ length: 64 }, () => new Connections(own));
  for (const one of all) for (const bytes of [1, 2, 4, 8, 16]) one.measured(bytes);
  t.same(new Set(all.map((one) => one.most)), new Set([1]));
  for (const one of all.splice(16)) one.end();
  t.same(new Set(all.map((one) => one.most)), new Set([4]));
  const elsewhere = new Connections(await config(64));
  t.equal(elsewhere.most, 4, 'and begins with four');
  const more = [...all, new Connections(own), new Connections(own)];
  for (const one of more) t.equal(one.most, 3);
  for (const one of [...more, elsewhere]) one.end();
});
