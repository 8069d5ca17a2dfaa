/** How many connections there may be, and what happens when there are more. */
import { test } from 'tap';
import { connectionLimits, mostSentBySystem } from '#src/http-kit/connection-limits.ts';
import { startListener } from '../../helpers/listener.ts';
import { type Conversation, converse, said, statuses } from '../../helpers/raw-socket.ts';
import { waitFor } from '../../helpers/wait.ts';

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
const last = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;

async function answered({ text }: Conversation, status = 200): Promise<void> {
  await waitFor('the answer', () => statuses(text()).at(-1) === status);
}

/** Serves `/now` at once and `/later` when it is told to. */
async function start(t: Parameters<typeof startListener>[0], limits: { max: number; perAddress: number }) {
  const later = Promise.withResolvers<void>();
  const begun: string[] = [];
  const listener = await startListener(
    t,
    {
      'GET /now': async () => ({ json: 1 }),
      'GET /later': async (call) => {
        begun.push(call.url);
        await later.promise;
        return { json: 2 };
      },
    },
    { connections: limits },
  );
  return { ...listener, later: later.resolve, begun };
}

test('a listener that is full of requests under way refuses more, tells of it, and recovers', async (t) => {
  const { url, lines, later, begun } = await start(t, { max: 3, perAddress: 3 });
  const busy = await Promise.all([1, 2, 3].map(() => converse(url, last('/later'))));
  await waitFor('the requests to begin', () => begun.length === 3);
  for (let i = 0; i < 5; i += 1) t.equal(await said(url, last('/now')), '');
  const warnings = lines.filter(({ level }) => level === 40);
  t.match(warnings, [{ msg: /too many/, address: '127.0.0.1', open: 3, max: 3, times: 1 }], 'once, not each time');
  later();
  for (const one of busy) t.same(statuses(await one.ended()), [200]);
  await waitFor('room', async () => statuses(await said(url, last('/now')))[0] === 200);
});

test('a full listener ends the connection that has been idle for longest to take a new one', async (t) => {
  const { url, later, begun } = await start(t, { max: 3, perAddress: 3 });
  const busy = await converse(url, last('/later'));
  await waitFor('the request to begin', () => begun.length === 1);
  const silent = await converse(url);
  const idle = await converse(url, get('/now'));
  await answered(idle);
  // What came just now is left alone, so this may take a moment.
  await waitFor('to be served', async () => statuses(await said(url, last('/now')))[0] === 200);
  await silent.ended();
  idle.socket.write(last('/now'));
  t.same(statuses(await idle.ended()), [200, 200], 'the one that was used later is still there');
  later();
  t.same(statuses(await busy.ended()), [200]);
});

test('one address may have some of the connections only', async (t) => {
  const { url, later, begun, lines } = await start(t, { max: 10, perAddress: 2 });
  const busy = await Promise.all([1, 2].map(() => converse(url, last('/later'))));
  await waitFor('the requests to begin', () => begun.length === 2);
  t.equal(await said(url, last('/now')), '');
  t.match(lines.filter(({ level }) => level === 40)[0], { of_address: 2, perAddress: 2 });
  later();
  for (const one of busy) await one.ended();
});

test('a listener takes no more than its part of the descriptors that the process has', async (t) => {
  const config = { max: 1000, idleSeconds: 60 };
  t.strictSame(connectionLimits(config, 'main', 20_000), { max: 1000, perAddress: 500, idleMs: 60_000 });
  t.match(connectionLimits({ ...config, perAddress: 1000 }, 'main', 20_000), { perAddress: 1000 });
  t.match(connectionLimits({ ...config, perAddress: 1000 }, 'main', 200), { max: 68, perAddress: 68 });
  t.match(connectionLimits(config, 'main', 200), { max: 68, perAddress: 34 });
  t.match(connectionLimits(config, 'links', 200), { max: 34 });
  t.match(connectionLimits(config, 'metrics', 200), { max: 8 });
  t.match(connectionLimits(config, 'main', 10), { max: 8 });
  t.match(connectionLimits(config, 'main', Number.POSITIVE_INFINITY), { max: 1000 });
});

test('the system sends no more downloads than the process has descriptors for: each takes one more', (t) => {
  t.same([10, 64, 256, 1024].map(mostSentBySystem), [0, 0, 12, 60]);
  t.equal(mostSentBySystem(Number.POSITIVE_INFINITY), Number.POSITIVE_INFINITY);
  t.end();
});

test('an error of accepting connections is logged now and then, and ends nothing', async (t) => {
  const { url, lines, server } = await startListener(t, { 'GET /now': async () => ({ json: 1 }) });
  const error = Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' });
  for (let i = 0; i < 100; i += 1) server.emit('error', error);
  const told = lines.filter(({ level }) => level === 50);
  t.match(told, [{ msg: /could not be accepted/, err: { message: /EMFILE/ } }]);
  t.equal(told.length, 1);
  t.same(statuses(await said(url, last('/now'))), [200]);
});
