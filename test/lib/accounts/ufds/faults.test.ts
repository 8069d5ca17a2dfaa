/** What goes wrong between here and the directory, and how long anybody waits for it. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { type Test, test } from 'tap';
import { DirectoryUnavailableError } from '#lib/accounts/accounts.ts';
import { UfdsDirectory } from '#lib/accounts/ufds/directory.ts';
import type { UfdsOptions } from '#lib/accounts/ufds/options.ts';
import { type UfdsDouble, type UfdsDoubleOptions, ufdsDoubleFor } from '../../../doubles/ufds.ts';
import { ALICE, PEOPLE } from '../../../helpers/accounts.ts';
import { freePort } from '../../../helpers/free-port.ts';
import { startTcpProxy } from '../../../helpers/tcp-proxy.ts';
import { selfSigned } from '../../../helpers/ufds.ts';
import { entriesOf } from '../../../helpers/ufds-entries.ts';
import { waitFor } from '../../../helpers/wait.ts';
import { optionsFor } from './options.ts';

function directoryAt(t: Test, url: string, more: Partial<UfdsOptions> = {}): UfdsDirectory {
  const ufds = new UfdsDirectory(optionsFor({ url, ...more }));
  t.teardown(() => ufds.close());
  return ufds;
}

const doubleFor = (t: Test, options: UfdsDoubleOptions = {}): Promise<UfdsDouble> =>
  ufdsDoubleFor(t, { entries: entriesOf(PEOPLE), ...options });

/** Fails for the reason, and is not `answered`. */
async function isDown(t: Test, ufds: UfdsDirectory, reason: RegExp): Promise<void> {
  const error = await ufds.byUuid(ALICE).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  t.type(error, DirectoryUnavailableError);
  t.match(error, { message: reason, answered: false });
}

test('a directory that restarts between two look-ups, or in the middle of one, is not missed', async (t) => {
  const double = await doubleFor(t);
  const ufds = directoryAt(t, double.url);
  t.ok(await ufds.byUuid(ALICE));
  await double.takeDown();
  await double.bringUp();
  t.ok(await ufds.byUuid(ALICE), 'between');
  double.hangs = true;
  const asked = ufds.byUuid(ALICE);
  await waitFor('the search to be under way', () => double.searches.length === 3);
  double.hangs = false;
  await double.takeDown().then(() => double.bringUp());
  t.ok(await asked.catch(() => ufds.byUuid(ALICE)), 'in the middle');
});

test('an answer that never comes is waited for as long as a look-up may take, and no longer', async (t) => {
  const double = await doubleFor(t);
  const ufds = directoryAt(t, double.url, { timeout: 200 });
  t.ok(await ufds.byUuid(ALICE));
  double.hangs = true;
  await isDown(t, ufds, /no answer within/);
  double.hangs = false;
  t.ok(await ufds.byUuid(ALICE));
  await waitFor('the connections that hung to be closed', () => double.connections === 1);
});

test('a directory that binds and then hangs is told of in the same words each time, which the log has once', async (t) => {
  const double = await doubleFor(t);
  double.searchesHang = true;
  const ufds = directoryAt(t, double.url, { timeout: 200 });
  for (let n = 0; n < 2; n++) await isDown(t, ufds, /no answer within ufds\.timeoutSeconds$/);
});

test('a connection that is silently dead is replaced within the time of one look-up', async (t) => {
  const double = await doubleFor(t);
  const proxy = await startTcpProxy(double.port);
  t.teardown(() => proxy.close());
  const ufds = directoryAt(t, `ldap://127.0.0.1:${proxy.port}`, { timeout: 1000 });
  t.ok(await ufds.byUuid(ALICE));
  proxy.trouble = { kind: 'stall', after: 0 };
  const asked = ufds.byUuid(ALICE);
  await waitFor('the search to arrive', () => double.searches.length === 2);
  // What was stalled stays so; a new connection is a good one.
  proxy.trouble = { kind: 'none' };
  t.ok(await asked);
});

test('connections that are cut, refused, or end in the middle of an answer', async (t) => {
  const double = await doubleFor(t);
  const proxy = await startTcpProxy(double.port);
  t.teardown(() => proxy.close());
  const ufds = directoryAt(t, `ldap://127.0.0.1:${proxy.port}`);
  t.ok(await ufds.byUuid(ALICE));
  proxy.cutAll();
  t.ok(await ufds.byUuid(ALICE), 'cut');
  proxy.trouble = { kind: 'refuse' };
  proxy.cutAll();
  await isDown(t, ufds, /^ldap:\/\/127.0.0.1:\d+: /);
  proxy.trouble = { kind: 'cut', after: 20 };
  await isDown(t, ufds, /^ldap:/);
  proxy.trouble = { kind: 'none' };
  t.ok(await ufds.byUuid(ALICE), 'and it is used again when it is back');
  await isDown(t, directoryAt(t, `ldap://127.0.0.1:${await freePort()}`), /ECONNREFUSED/);
  await isDown(t, directoryAt(t, 'ldap://no-such-host.invalid'), /ENOTFOUND|EAI_AGAIN/);
});

test('who answers with something that is not LDAP is no directory', async (t) => {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.write('HTTP/1.1 400 Bad Request\r\n\r\n');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  await isDown(t, directoryAt(t, `ldap://127.0.0.1:${port}`, { connectTimeout: 200 }), /no answer within 200 ms/);
  await isDown(t, directoryAt(t, `ldaps://127.0.0.1:${port}`, { connectTimeout: 5000 }), /ldaps:/);
});

test('a password that the directory refuses is named, not shown', async (t) => {
  const double = await doubleFor(t);
  double.password = 'another';
  const ufds = directoryAt(t, double.url);
  await isDown(t, ufds, /it refuses ufds\.bindDN with ufds\.bindPassword \(InvalidCredentialsError\)/);
  const error = await ufds.byUuid(ALICE).catch((thrown: Error) => thrown);
  t.notMatch(JSON.stringify(error) + String((error as Error).stack), /secret/);
  double.password = 'secret';
  t.ok(await ufds.byUuid(ALICE));
});

test('a directory that is busy is down', async (t) => {
  const double = await doubleFor(t);
  double.answersBusy = true;
  await isDown(t, directoryAt(t, double.url), /BusyError/);
});

test('what one entry is refused for does not mean that the directory is down', async (t) => {
  const double = await doubleFor(t);
  const ufds = directoryAt(t, double.url, { base: 'ou=elsewhere, o=not-here' });
  await t.rejects(ufds.byUuid(ALICE), { name: 'DirectoryUnavailableError', answered: true, message: /ufds\.base/ });
});

test('a connection that nobody uses is closed, and none is left when the directory is closed', async (t) => {
  const double = await doubleFor(t);
  const ufds = directoryAt(t, double.url, { idle: 50 });
  t.ok(await ufds.byUuid(ALICE));
  await waitFor('the idle connection to be closed', () => double.connections === 0);
  t.ok(await ufds.byUuid(ALICE));
  double.hangs = true;
  const asked = Promise.all([ufds.byUuid(ALICE), ufds.byLogin('bob')].map((call) => t.rejects(call, /closed/)));
  await waitFor('searches to be under way', () => double.searches.length === 3);
  await ufds.close();
  await asked;
  await t.rejects(ufds.byUuid(ALICE), DirectoryUnavailableError);
  await waitFor('all connections to be closed', () => double.connections === 0);
});

test('a certificate is verified unless that is given up, by the name that it was made for', async (t) => {
  const tls = selfSigned('ufds.example.com');
  const double = await doubleFor(t, { tls });
  const ca = tls.certificate;
  await isDown(t, directoryAt(t, double.url), /self.signed/);
  await isDown(t, directoryAt(t, double.url, { tls: { insecure: false, ca } }), /does not match|altnames/);
  const named = directoryAt(t, double.url, { tls: { insecure: false, ca, serverName: 'ufds.example.com' } });
  t.ok(await named.byUuid(ALICE));
  t.ok(await directoryAt(t, double.url, { tls: { insecure: true } }).byUuid(ALICE), 'as today');
  await isDown(t, directoryAt(t, double.url.replace('ldaps', 'ldap'), { connectTimeout: 300 }), /ldap:/);
});
