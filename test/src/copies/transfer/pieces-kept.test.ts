/** What came in pieces is not lost when the copy goes on later, whatever lies between them. */
import { type Test, test } from 'tap';
import { waitFor } from '../../../helpers/wait.ts';
import { transferOf } from '../fixture.ts';
import { assertWhole, FILE, honestly, type LyingPair, lyingPair, PIECE, PIECES } from '../lying-pair.ts';

/** All but the first piece comes; the source then answers to the request for that one what it is given here. */
async function allButFirst({ source, dest, uuid }: LyingPair, answer: (typeof source.lies)[number]['answer']) {
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

async function failedForGood(t: Test, pair: LyingPair): Promise<void> {
  const failed = pair.copied();
  await allButFirst(pair, (_incoming, response) => {
    response.writeHead(404, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ code: 'ResourceNotFound', message: 'no such image' }));
  });
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
  pair.source.lies = [
    {
      path: PIECES,
      answer: (_incoming, response) => {
        response.writeHead(404, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ code: 'ResourceNotFound', message: 'no such route' }));
      },
    },
    ...pair.source.lies,
  ];
  const order = await pair.copied();
  t.match(order, { state: 'succeeded', members: [{ result: { attempt: 2 } }] });
  t.equal(order.members[0]?.result?.note, undefined, 'nothing was fetched again');
  t.equal(sent(), 5 * PIECE);
  await assertWhole(t, pair.dest, pair.uuid, pair.sha1);
});
