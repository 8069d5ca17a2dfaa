/** What a handler hears of a client that left. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { addAbortSignal, Readable } from 'node:stream';
import { type Test, test } from 'tap';
import type { AnyCall } from '#src/http-kit/listener-options.ts';
import { startListener } from '../../helpers/listener.ts';
import { converse, said, statuses } from '../../helpers/raw-socket.ts';

/** A server whose only route is handled by `handler`, and a client that leaves once that has begun. */
async function leaving(t: Test, handler: (call: AnyCall, left: Promise<unknown>) => Promise<void>): Promise<void> {
  const begun = Promise.withResolvers<void>();
  const left = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  const listener = await startListener(
    t,
    {
      async 'GET /wait'(call) {
        begun.resolve();
        handler(call, left.promise).then(ended.resolve, ended.reject);
        await ended.promise;
        return {};
      },
    },
    { onDone: () => left.resolve(), connections: { halfClosedMs: 50 } },
  );
  const client = connect(Number(new URL(listener.url).port), '127.0.0.1');
  await once(client, 'connect');
  client.write('GET /wait HTTP/1.1\r\nHost: test\r\n\r\n');
  await begun.promise;
  client.destroy();
  await ended.promise;
}

test('the signal aborts when the client leaves', async (t) => {
  await leaving(t, async ({ signal }) => {
    t.notOk(signal.aborted);
    await once(signal, 'abort');
    t.match(signal.reason, { message: 'the client is gone' });
  });
});

test('who asks for the signal only after the client left finds it aborted', async (t) => {
  await leaving(t, async (call, left) => {
    await left;
    t.ok(call.signal.aborted);
  });
});

test('bytes that nobody is left for are freed, and their error ends nothing', async (t) => {
  let stream: Readable | undefined;
  const answered = Promise.withResolvers<void>();
  const { url } = await startListener(
    t,
    {
      'GET /file': async ({ signal }) => {
        await once(signal, 'abort');
        stream = addAbortSignal(signal, Readable.from([Buffer.from('x')]));
        answered.resolve();
        return { stream, headers: { 'Content-Length': '1' } };
      },
      'GET /next': async () => ({ json: 1 }),
    },
    { connections: { halfClosedMs: 10 } },
  );
  const { socket } = await converse(url, 'GET /file HTTP/1.1\r\nHost: x\r\n\r\n');
  socket.end();
  await answered.promise;
  t.same(statuses(await said(url, 'GET /next HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')), [200]);
  t.ok(stream?.destroyed);
});
