/** Large files come as pieces, over many connections at a time. */
import { randomBytes } from 'node:crypto';
import { type Test, test } from 'tap';
import type { LinkPieces } from '#lib/api/schemas/link.ts';
import { LocalPiece } from '#lib/objects/local/piece.ts';
import { ALICE } from '../../../helpers/accounts.ts';
import { type Datacenter, putImage } from '../../../helpers/datacenter.ts';
import type { Lie, LyingDatacenter } from '../../../helpers/lying-datacenter.ts';
import { waitFor } from '../../../helpers/wait.ts';
import { copyPair, ended, orderOf, otherProcess, transferOf } from '../fixture.ts';
import { assertWhole, FILE, honestly, lyingPair, MIB, PATIENT, PIECE, PIECES } from '../lying-pair.ts';

/** An image of so many bytes whose copy is ordered, and not begun. */
async function ordered(t: Test, copies: Parameters<typeof copyPair>[1], size: number) {
  const pair = await copyPair(t, copies);
  const { record, sha1 } = await putImage(pair.source, ALICE, {}, randomBytes(size));
  const { uuid } = await pair.copy(record.uuid);
  return { pair, record, sha1, uuid };
}

/** Of all that the source is asked for bytes, it answers that one by a lie. Returns how many bytes it has sent in the other answers. */
function lyingOnce(source: LyingDatacenter, when: number, lie: Lie['answer']): () => number {
  let [asked, sent] = [0, 0];
  const change = (bytes: Buffer): void => {
    sent += bytes.length;
  };
  const honest = honestly(source, { change });
  source.lies = [{ path: FILE, answer: (...asking) => (++asked === when ? lie : honest)(...asking) }];
  return () => sent;
}

const LINE = { kind: 'line', rtt: 80, bytesPerSecond: 4 * MIB } as const;

test('a large file comes over many connections at a time, and each byte once', async (t) => {
  const size = 20 * PIECE + 5;
  const { pair, record, sha1, uuid } = await ordered(t, PATIENT, size);
  pair.network.trouble = LINE;
  const before = pair.network.received;
  let latest = 0;
  pair.engine();
  const order = await waitFor('the order to end', async () => {
    const bytes = (await transferOf(pair.service, record.uuid))?.bytes ?? latest;
    if (bytes < latest) t.fail(`the progress went back from ${latest} to ${bytes}`);
    latest = bytes;
    const now = await orderOf(pair.service, uuid);
    return now.live ? undefined : now;
  });
  t.match(order, { state: 'succeeded', members: [{ result: { attempt: 1, via: 'pull-url' } }] });
  await assertWhole(t, pair, record.uuid, sha1);
  const { mostConnections, received } = pair.network;
  t.ok(mostConnections > 5, `${mostConnections} connections`);
  t.ok(
    mostConnections <= 21,
    `${mostConnections} connections, two for what is not bytes and three that ask for the next`,
  );
  t.ok(received - before < size + MIB, `${received - before} of ${size} bytes came`);
  t.ok(latest > 0 && latest <= size, 'the progress was shown');
});

test('one wrong byte on the way costs one piece', async (t) => {
  const size = 6 * PIECE;
  const { pair, record, sha1, uuid } = await ordered(t, PATIENT, size);
  pair.network.trouble = { kind: 'flip', at: 20 * MIB };
  const before = pair.network.received;
  pair.engine();
  t.match(await ended(pair.service, uuid), { state: 'succeeded', members: [{ result: { attempt: 1 } }] });
  t.ok(pair.network.flipped);
  await assertWhole(t, pair, record.uuid, sha1);
  const more = pair.network.received - before - size;
  t.ok(more > PIECE - MIB && more < PIECE + MIB, `${more} bytes came twice`);
});

test('connections that break are replaced, and their pieces go on where they broke off', async (t) => {
  const size = 8 * PIECE;
  const { pair, record, sha1, uuid } = await ordered(t, PATIENT, size);
  pair.network.trouble = { ...LINE, rtt: 1, bytesPerSecond: 8 * MIB };
  const before = pair.network.received;
  pair.engine();
  for (const part of [0.2, 0.5]) {
    await waitFor(
      `${part} of it`,
      async () => ((await transferOf(pair.service, record.uuid))?.bytes ?? 0) > part * size,
    );
    pair.network.cutAll();
  }
  t.match(await ended(pair.service, uuid), { state: 'succeeded', members: [{ result: { attempt: 1 } }] });
  await assertWhole(t, pair, record.uuid, sha1);
  // What was on its way, in buffers as well, is lost with a connection.
  const more = pair.network.received - before - size;
  t.ok(more < 2 * 16 * MIB, `${more} bytes came twice`);
});

test('a process that stops gives the pieces to the next one, which fetches only what is missing', async (t) => {
  const size = 12 * PIECE;
  const { pair, record, sha1, uuid } = await ordered(t, PATIENT, size);
  pair.network.trouble = { ...LINE, rtt: 1, bytesPerSecond: 16 * MIB };
  const first = pair.engine(otherProcess(pair.service, 'first'));
  await waitFor('half of it', async () => ((await transferOf(pair.service, record.uuid))?.bytes ?? 0) > size / 2);
  await first.stop();
  const back = await transferOf(pair.service, record.uuid);
  t.match(back, { state: 'queued', attempt: 1 });
  t.ok((back?.solid ?? size) < size, 'how much is there without a gap');
  const before = pair.network.received;
  pair.network.trouble = { kind: 'none' };
  pair.engine(otherProcess(pair.service, 'second'));
  t.match(await ended(pair.service, uuid), { state: 'succeeded', members: [{ result: { attempt: 2 } }] });
  await assertWhole(t, pair, record.uuid, sha1);
  const came = pair.network.received - before;
  t.ok(came < size - (back?.solid ?? 0) + MIB, `${came} of ${size} bytes came afterwards`);
});

test('what was staged before is read again while what is missing comes already', async (t) => {
  const size = 12 * PIECE;
  const { pair, record, sha1, uuid } = await ordered(t, PATIENT, size);
  pair.network.trouble = { ...LINE, rtt: 1, bytesPerSecond: 16 * MIB };
  const first = pair.engine(otherProcess(pair.service, 'first'));
  await waitFor('half of it', async () => ((await transferOf(pair.service, record.uuid))?.bytes ?? 0) > size / 2);
  await first.stop();
  const { acceptStaged } = LocalPiece.prototype;
  const held = Promise.withResolvers<void>();
  let checks = 0;
  t.intercept(LocalPiece.prototype, 'acceptStaged', {
    value: async function (this: LocalPiece, sha256: string) {
      checks += 1;
      await held.promise;
      return acceptStaged.call(this, sha256);
    },
  });
  const before = pair.network.received;
  pair.network.trouble = { kind: 'none' };
  pair.engine(otherProcess(pair.service, 'second'));
  t.teardown(() => held.resolve());
  await waitFor('a piece beside the check', () => pair.network.received - before > PIECE, 20_000);
  t.equal(checks, 1, 'the first one is still looked at');
  held.resolve();
  t.match(await ended(pair.service, uuid), { state: 'succeeded', members: [{ result: { attempt: 2 } }] });
  await assertWhole(t, pair, record.uuid, sha1);
});

test('canceling a copy ends all its connections', async (t) => {
  const pair = await copyPair(t, PATIENT);
  const { record } = await putImage(pair.source, ALICE, {}, randomBytes(8 * PIECE));
  await pair.copy(record.uuid);
  pair.network.trouble = { ...LINE, bytesPerSecond: MIB / 4 };
  const engine = pair.engine();
  await waitFor('bytes', async () => ((await transferOf(pair.service, record.uuid))?.bytes ?? 0) > 0);
  t.ok(pair.network.connections >= 4);
  await engine.stop();
  await waitFor('the connections to end', () => pair.network.connections <= 2);
});

/** A rate that any line has: the rest of the file comes as one stream as soon as the rate was measured once. */
const ANY_RATE = { ...PATIENT, oneStreamRate: 1 };
const FAST = { ...LINE, rtt: 1, bytesPerSecond: 32 * MIB };

test('on a line that is fast enough the rest comes as one stream, which goes on where it broke off', async (t) => {
  const size = 24 * PIECE + 5;
  const { pair, record, sha1, uuid } = await ordered(t, ANY_RATE, size);
  pair.network.trouble = FAST;
  const before = pair.network.received;
  pair.engine();
  const half = await waitFor('half of it', async () => {
    const transfer = await transferOf(pair.service, record.uuid);
    return (transfer?.bytes ?? 0) > size / 2 ? transfer : undefined;
  });
  t.equal(half.solid, half.bytes, 'there are no gaps');
  t.ok(
    pair.network.mostConnections <= 6,
    `${pair.network.mostConnections} connections, two of them for what is not bytes`,
  );
  pair.network.cutAll();
  t.match(await ended(pair.service, uuid), { state: 'succeeded', members: [{ result: { attempt: 1 } }] });
  await assertWhole(t, pair, record.uuid, sha1);
  const more = pair.network.received - before - size;
  t.ok(more < 8 * MIB, `${more} bytes came twice`);
});

test('a wrong byte of that stream costs one piece', async (t) => {
  const size = 48 * PIECE;
  const { pair, record, sha1, uuid } = await ordered(t, ANY_RATE, size);
  pair.network.trouble = { kind: 'flip', at: size - 12 * MIB };
  const before = pair.network.received;
  pair.engine();
  t.match(await ended(pair.service, uuid), { state: 'succeeded', members: [{ result: { attempt: 1 } }] });
  t.ok(pair.network.flipped);
  await assertWhole(t, pair, record.uuid, sha1);
  const more = pair.network.received - before - size;
  t.ok(more > PIECE - MIB && more < PIECE + 2 * MIB, `${more} bytes came twice`);
});

test('once such a line is slow, the rest comes as pieces again', async (t) => {
  const size = 24 * PIECE;
  const { pair, record, sha1, uuid } = await ordered(t, { ...PATIENT, oneStreamRate: 16 * MIB }, size);
  pair.network.trouble = FAST;
  pair.engine();
  await waitFor('a third of it', async () => ((await transferOf(pair.service, record.uuid))?.bytes ?? 0) > size / 3);
  pair.network.trouble = { ...FAST, bytesPerSecond: 2 * MIB };
  // The rate of a line is that of its connections from their beginning on.
  pair.network.cutAll();
  await waitFor('many connections again', () => pair.network.connections >= 4);
  pair.network.trouble = FAST;
  t.match(await ended(pair.service, uuid), { state: 'succeeded', members: [{ result: { attempt: 1 } }] });
  await assertWhole(t, pair, record.uuid, sha1);
});

test('with one connection allowed, a file comes as one stream', async (t) => {
  const { pair, record, sha1, uuid } = await ordered(t, { ...PATIENT, connections: 1 }, 5 * PIECE);
  pair.network.trouble = { ...LINE, rtt: 1, bytesPerSecond: 64 * MIB };
  pair.engine();
  t.match(await ended(pair.service, uuid), { state: 'succeeded' });
  t.ok(pair.network.mostConnections <= 3, `${pair.network.mostConnections} connections`);
  await assertWhole(t, pair, record.uuid, sha1);
});

function lieAboutPieces(source: LyingDatacenter, list: (honest: LinkPieces) => unknown): void {
  const hash = 'ab'.repeat(32);
  const honest = (sha1: string): LinkPieces => ({
    sha1,
    piece_bytes: PIECE,
    sha256: Array.from({ length: 5 }, () => hash),
  });
  source.lies = [
    {
      path: PIECES,
      answer: async (incoming, response) => {
        const [, uuid = ''] = /images\/([^/]+)/.exec(incoming.url ?? '') ?? [];
        const image = await linkSourceSha1(source, uuid);
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify(list(honest(image))));
      },
    },
  ];
}

async function linkSourceSha1({ service }: Datacenter, uuid: string): Promise<string> {
  const { loadRaw } = await import('#src/images/record/load.ts');
  return (await loadRaw(service, uuid))?.value.files?.[0]?.sha1 ?? '';
}

test('a source without ranges sends one stream', async (t) => {
  const { source, dest, uuid, sha1, copied } = await lyingPair(t);
  source.lies = [{ path: FILE, answer: honestly(source, { withoutRange: true }) }];
  t.match(await copied(), { state: 'succeeded', members: [{ result: { attempt: 1, via: 'imgapi' } }] });
  await assertWhole(t, dest, uuid, sha1);
});

for (const status of [404, 501]) {
  test(`a source that answers ${status} because it has no lists of pieces sends one stream`, async (t) => {
    const { source, dest, uuid, sha1, copied } = await lyingPair(t);
    source.lies = [
      {
        path: PIECES,
        answer: (_incoming, response) => {
          response.writeHead(status, { 'content-type': 'application/json' });
          response.end(JSON.stringify({ code: 'NotHere', message: 'no such route' }));
        },
      },
    ];
    t.match(await copied(), { state: 'succeeded', members: [{ result: { attempt: 1 } }] });
    t.equal(source.asked.filter((asked) => FILE.test(asked)).length, 1);
    await assertWhole(t, dest, uuid, sha1);
  });
}

test('a source whose list of pieces drips is asked for it a few times, and sends one stream', async (t) => {
  const { source, dest, uuid, sha1, copied } = await lyingPair(t, { ...PATIENT, stallSeconds: 3 });
  source.lies = [
    {
      path: PIECES,
      answer: (_incoming, response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        const drip = setInterval(() => response.write(' '), 100);
        response.once('close', () => clearInterval(drip));
      },
    },
  ];
  t.match(await copied(), { state: 'succeeded', members: [{ result: { attempt: 3 } }] });
  t.equal(source.asked.filter((asked) => PIECES.test(asked)).length, 3);
  await assertWhole(t, dest, uuid, sha1);
});

test('a source that always fails to list its pieces is asked for the list in a few attempts, and sends one stream', async (t) => {
  const { source, dest, uuid, sha1, copied } = await lyingPair(t);
  source.lies = [
    {
      path: PIECES,
      answer: (_incoming, response) => {
        response.writeHead(500, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ code: 'InternalError', message: 'it cannot be read' }));
      },
    },
  ];
  t.match(await copied(), { state: 'succeeded', members: [{ result: { attempt: 3 } }] });
  t.equal(source.asked.filter((asked) => FILE.test(asked)).length, 1);
  await assertWhole(t, dest, uuid, sha1);
});

test('a source that does not begin to answer has stalled, and only the piece that it was asked for comes again', async (t) => {
  const { source, dest, uuid, sha1, copied } = await lyingPair(t, { ...PATIENT, stallSeconds: 1 });
  const sent = lyingOnce(source, 3, () => {});
  const begin = performance.now();
  t.match(await copied(), { state: 'succeeded' });
  t.ok(performance.now() - begin < 30_000, 'it was not waited for');
  t.equal(sent(), 5 * PIECE);
  await assertWhole(t, dest, uuid, sha1);
});

test('an answer that is longer than the piece that was asked for costs that piece at most, not the file', async (t) => {
  const { source, dest, uuid, sha1, copied } = await lyingPair(t);
  const sent = lyingOnce(source, 4, (incoming, response) => {
    const [, start, end] = /^bytes=(\d+)-(\d+)$/.exec(incoming.headers.range ?? '') ?? [];
    response.writeHead(206, { 'content-range': `bytes ${start}-${end}/${5 * PIECE}` });
    response.end(randomBytes(PIECE + MIB));
  });
  t.match(await copied(), { state: 'succeeded', members: [{ result: { attempt: 1 } }] });
  t.equal(sent(), 5 * PIECE, 'no other piece came twice');
  await assertWhole(t, dest, uuid, sha1);
});

test('a source that tells wrong hashes of its pieces is asked for one stream, after a bounded number of tries', async (t) => {
  const { source, dest, uuid, sha1, copied } = await lyingPair(t);
  lieAboutPieces(source, (list) => list);
  const order = await copied();
  t.match(order, { state: 'succeeded', members: [{ result: { attempt: 2, note: /wrong hash again and again/ } }] });
  await assertWhole(t, dest, uuid, sha1);
  const asked = source.asked.filter((one) => FILE.test(one)).length;
  t.ok(asked <= 5 * 4 + 1, `${asked} requests for bytes`);
});

for (const [what, list] of [
  ['too few', (honest: LinkPieces) => ({ ...honest, sha256: honest.sha256.slice(1) })],
  ['too many', (honest: LinkPieces) => ({ ...honest, sha256: [...honest.sha256, ...honest.sha256] })],
  ['far too many', (honest: LinkPieces) => ({ ...honest, sha256: Array.from({ length: 100_000 }, () => honest.sha1) })],
  ['no', () => ({ pieces: 'none' })],
] as const) {
  test(`a source that tells ${what} hashes fails the copy by name`, async (t) => {
    const { source, copied } = await lyingPair(t);
    lieAboutPieces(source, list);
    t.match(await copied(), { state: 'failed', error: { code: 'SourceInvalid' } });
  });
}

test('a source that tells the pieces of another file fails the copy by name', async (t) => {
  const { source, copied } = await lyingPair(t);
  lieAboutPieces(source, (honest) => ({ ...honest, sha1: 'cd'.repeat(20) }));
  t.match(await copied(), { state: 'failed', error: { code: 'SourceChanged' } });
});
