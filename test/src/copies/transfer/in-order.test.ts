/** Large files into a store that takes bytes in order only: they come as pieces, over many connections at a time. */
import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { type Test, test } from 'tap';
import { imageObjectPath } from '#lib/manifest/object-paths.ts';
import { copyFromDatacenter } from '#src/copies/orders/place-order.ts';
import { ReorderMemory } from '#src/copies/transfer/reorder-memory.ts';
import { startCopyWorker } from '#src/copies/transfer/worker.ts';
import { linkDatacenter } from '#src/datacenters/links/link-datacenter.ts';
import { createLinkToken } from '#src/datacenters/links/link-tokens.ts';
import { linkSource } from '#src/datacenters/sources/source-link.ts';
import { s3UnderTest } from '../../../engines/s3.ts';
import { ALICE } from '../../../helpers/accounts.ts';
import { putImage, startDatacenter } from '../../../helpers/datacenter.ts';
import { startLyingDatacenter } from '../../../helpers/lying-datacenter.ts';
import { waitFor } from '../../../helpers/wait.ts';
import { copyPair, ended, otherProcess, transferOf } from '../fixture.ts';

const MIB = 1024 * 1024;
const PIECE = 8 * MIB;
const LINE = { kind: 'line', rtt: 80, bytesPerSecond: 4 * MIB } as const;

/** A copy of a file of `size` bytes into S3, from a source behind a line, that has been ordered. */
async function intoS3(t: Test, size: number, trouble: CopyTrouble) {
  const s3 = await s3UnderTest(t);
  const store = await s3.open();
  // The fixture's times are for small files.
  const pair = await copyPair(t, { stallSeconds: 60, leaseSeconds: 60 }, { dest: { storage: () => store } });
  const { record, sha1, bytes } = await putImage(pair.source, ALICE, {}, randomBytes(size));
  const { uuid: order } = await pair.copy(record.uuid);
  pair.network.trouble = trouble;
  const before = pair.network.received;
  return {
    ...{ pair, store, record, bytes, order },
    came: () => pair.network.received - before,
    hasCome: (least: number) =>
      waitFor('bytes', async () => ((await transferOf(pair.service, record.uuid))?.bytes ?? 0) > least),
    assertCopied: async (attempt = 1) => {
      const { state, members, error } = await ended(pair.service, order);
      t.match({ state, error, members }, { state: 'succeeded', members: [{ result: { attempt } }] });
      t.equal((await store.hash(imageObjectPath(record.uuid, 'file0'))).sha1, sha1);
      t.same(await store.sessions(), [], 'no staging is left');
    },
  };
}

type CopyTrouble = Awaited<ReturnType<typeof copyPair>>['network']['trouble'];

test('a large file comes into S3 over many connections at a time, and each byte once', async (t) => {
  const size = 7 * PIECE + 5;
  const { pair, came, assertCopied } = await intoS3(t, size, LINE);
  pair.engine();
  await assertCopied();
  const { mostConnections } = pair.network;
  t.ok(mostConnections > 8, `${mostConnections} connections`);
  // One that is given up may still be open while another goes on with its slice.
  t.ok(mostConnections <= 24, `${mostConnections} connections, two of them for what is not bytes`);
  t.ok(came() < size + MIB, `${came()} of ${size} bytes came`);
});

test('one wrong byte on the way into S3 costs one piece', async (t) => {
  const size = 5 * PIECE;
  const { pair, came, assertCopied } = await intoS3(t, size, { kind: 'flip', at: 20 * MIB });
  pair.engine();
  await assertCopied();
  t.ok(pair.network.flipped);
  const more = came() - size;
  t.ok(more > PIECE - MIB && more < PIECE + MIB, `${more} bytes came twice`);
});

test('connections that break are replaced, and the copy into S3 goes on', async (t) => {
  const { pair, hasCome, assertCopied } = await intoS3(t, 5 * PIECE, { ...LINE, rtt: 1 });
  pair.engine();
  await hasCome(2 * PIECE);
  pair.network.cutAll();
  await assertCopied();
});

test('the next process goes on after what is staged in S3', async (t) => {
  const size = 6 * PIECE;
  const { pair, store, came, hasCome, assertCopied } = await intoS3(t, size, LINE);
  const first = pair.engine(otherProcess(pair.service, 'first'));
  await hasCome(4 * PIECE);
  await first.stop();
  const [staged] = await store.sessions();
  const kept = Math.floor((staged?.size ?? 0) / PIECE) * PIECE;
  t.ok(kept > 0, `${kept} bytes are staged`);
  const before = came();
  pair.network.trouble = { kind: 'none' };
  pair.engine(otherProcess(pair.service, 'second'));
  await assertCopied(2);
  t.ok(came() - before < size - kept + MIB, `${came() - before} bytes came although ${kept} of ${size} were staged`);
});

test('when the ordered source dies, a copy into S3 goes on from another datacenter', async (t) => {
  const { pair, record, bytes, hasCome, assertCopied } = await intoS3(t, 6 * PIECE, LINE);
  const third = await startDatacenter(t, 'eu-1', { keys: { pulls: { redirect: false } } });
  const { token, url } = await createLinkToken(third.service);
  await linkDatacenter(pair.service, { name: third.name, url, token });
  await putImage(third, ALICE, { uuid: record.uuid }, bytes);
  pair.engine();
  await hasCome(PIECE);
  pair.network.trouble = { kind: 'refuse' };
  pair.network.cutAll();
  await assertCopied();
});

test('a copy that finds no memory for pieces comes as one stream until there is some', async (t) => {
  const { pair, hasCome, assertCopied } = await intoS3(t, 6 * PIECE, { ...LINE, rtt: 1 });
  const others = Array.from({ length: 6 }, () => new ReorderMemory(pair.service.config));
  for (const other of others) t.ok(other.enter());
  pair.engine();
  await hasCome(MIB);
  const { mostConnections } = pair.network;
  t.ok(mostConnections <= 3, `${mostConnections} connections`);
  for (const other of others) other.end();
  await assertCopied();
  t.ok(pair.network.mostConnections > 4, `${pair.network.mostConnections} connections`);
});

test('a source without ranges sends one stream into S3', async (t) => {
  const store = await (await s3UnderTest(t)).open();
  const source = await startLyingDatacenter(t, 'us-east-1', { keys: { pulls: { redirect: false } } });
  const { service } = await startDatacenter(t, 'us-west-1', {
    storage: () => store,
    keys: { copies: { leaseSeconds: 60, stallSeconds: 60, retryDelay: { min: 0.02, max: 0.2 } } },
  });
  const { token, url } = await createLinkToken(source.service);
  await linkDatacenter(service, { name: source.name, url, token });
  const { record, sha1 } = await putImage(source, ALICE, {}, randomBytes(5 * PIECE));
  source.lies = [
    {
      path: /\/file\?/,
      answer: ({ method, url: path, headers: { range: _range, ...headers } }, response) => {
        const to = `http://127.0.0.1:${source.service.config.links.port}${path}`;
        const passed = request(to, { method, headers }, (honest) => {
          response.writeHead(honest.statusCode ?? 500, honest.headers);
          honest.pipe(response);
        });
        passed.end();
      },
    },
  ];
  const from = linkSource(service, source.name);
  const order = { uuid: record.uuid, account: ALICE, source: from, dryRun: false, doNotRestart: false };
  const { uuid } = await copyFromDatacenter(service, order, new AbortController().signal);
  const worker = startCopyWorker(service, { pollMs: 20 });
  t.teardown(() => worker.stop());
  t.match(await ended(service, uuid), { state: 'succeeded', members: [{ result: { attempt: 1, via: 'imgapi' } }] });
  t.equal((await store.hash(imageObjectPath(record.uuid, 'file0'))).sha1, sha1);
});
