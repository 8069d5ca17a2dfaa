/** What came in pieces is not lost when the copy goes on later, whatever lies between them. */
import { type Test, test } from 'tap';
import type { Lie } from '../../../helpers/lying-datacenter.ts';
import { waitFor } from '../../../helpers/wait.ts';
import { transferOf } from '../fixture.ts';
import { assertWhole, FILE, honestly, type LyingPair, lyingPair, PATIENT, PIECE, PIECES } from '../lying-pair.ts';

/** All but the first piece comes; the source then answers to the request for that one what it is given here. */
async function allButFirst({ source, dest, uuid }: LyingPair, answer: Lie['answer']) {
  const others = Promise.withResolvers<void>();
  const honest = honestly(source);
  source.lies = [
    {
      path: FILE,
      answer: (incoming, response) => {
        if (!incoming.headers.range?.startsWith('bytes=0-')) return honest(incoming, response);
        void others.promise.then(() => answer(incoming, response));
      },
    },
  ];
  await waitFor('the other pieces', async () => ((await transferOf(dest.service, uuid))?.bytes ?? 0) >= 4 * PIECE);
  others.resolve();
}

/** Counts the bytes that it sends from now on. */
function honestAgain({ source }: LyingPair): () => number {
  let sent = 0;
  const change = (bytes: Buffer): void => {
    sent += bytes.length;
  };
  source.lies = [{ path: FILE, answer: honestly(source, { change }) }];
  return () => sent;
}

/** What it does instead of answering. */
const cut: Lie['answer'] = (incoming) => incoming.socket.destroy();
const unavailable = refusing(503, 'ServiceUnavailableError');
const silent: Lie['answer'] = () => {};

function refusing(status: number, code: string): Lie['answer'] {
  return (_incoming, response) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ code, message: 'not to be had' }));
  };
}

async function failedForGood(t: Test, pair: LyingPair): Promise<void> {
  const failed = pair.copied();
  await allButFirst(pair, refusing(404, 'ResourceNotFound'));
  t.match(await failed, { state: 'failed', error: { code: 'SourceGone' } });
}

test('a new order takes over the pieces of a copy that failed for good', async (t) => {
  const pair = await lyingPair(t);
  await failedForGood(t, pair);
  const sent = honestAgain(pair);
  t.match(await pair.copied(), { state: 'succeeded', members: [{ result: { attempt: 2 } }] });
  t.equal(sent(), PIECE);
  await assertWhole(t, pair.dest, pair.uuid, pair.sha1);
});

test('a new order that comes as one stream takes over only what is without gaps of a copy that failed for good', async (t) => {
  const pair = await lyingPair(t);
  await failedForGood(t, pair);
  const sent = honestAgain(pair);
  pair.source.lies = [{ path: PIECES, answer: refusing(404, 'ResourceNotFound') }, ...pair.source.lies];
  const order = await pair.copied();
  t.match(order, { state: 'succeeded', members: [{ result: { attempt: 2 } }] });
  t.equal(order.members[0]?.result?.note, undefined, 'nothing was fetched again');
  t.equal(sent(), 5 * PIECE);
  await assertWhole(t, pair.dest, pair.uuid, pair.sha1);
});

for (const [what, answer] of [
  ['breaks every connection', cut],
  ['answers 503', unavailable],
  ['says nothing', silent],
] as const) {
  test(`while its source ${what}, a copy in pieces is tried again and again, and loses none of them`, async (t) => {
    const pair = await lyingPair(t, { ...PATIENT, stallSeconds: 4 });
    const { source, dest, uuid } = pair;
    const copied = pair.copied();
    await allButFirst(pair, answer);
    source.lies = [{ path: /./, answer }];
    const later = await waitFor('some attempts', async () => {
      const transfer = await transferOf(dest.service, uuid);
      return (transfer?.attempt ?? 0) >= 5 ? transfer : undefined;
    });
    t.match(later, { bytes: 4 * PIECE, staged: /[.]1$/, error: { code: /^Source(Unreachable|Error)$|^Stalled$/ } });
    const sent = honestAgain(pair);
    t.match(await copied, { state: 'succeeded' });
    t.equal(sent(), PIECE);
    await assertWhole(t, dest, uuid, pair.sha1);
  });
}

test('a page of the list that cannot be had for a while is asked for again, and the copy goes on in pieces', async (t) => {
  const size = 33 * PIECE;
  const { source, dest, uuid, sha1, copied } = await lyingPair(t, { ...PATIENT, oneStreamRate: 0 }, size);
  const [fail, honest] = [refusing(500, 'InternalError'), honestly(source)];
  let failures = 6;
  source.lies = [{ path: /pieces.*page=1/, answer: (...asking) => (failures-- > 0 ? fail : honest)(...asking) }];
  t.match(await copied(), { state: 'succeeded', members: [{ result: { attempt: 1 } }] });
  t.equal(source.asked.filter((asked) => FILE.test(asked)).length, 33);
  await assertWhole(t, dest, uuid, sha1);
});
