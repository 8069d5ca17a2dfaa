import { test } from 'tap';
import type { CopyStatus } from '#lib/api/schemas/copy.ts';
import { ImgapiError, ImgapiUnreachableError, type TransportFault } from '#lib/client/errors.ts';
import { type CopyEvent, followCopy, type WatchCopy, watchOrAsk } from '#src/cli/shared/copying/follow-copy.ts';
import { copyStatus, doneStatus } from '../../fixtures.ts';

const PAUSE = { min: 1, max: 2 };
const RUNNING = copyStatus();
const DONE = doneStatus();

function unreachable(fault: TransportFault = 'connect'): Error {
  return new ImgapiUnreachableError(fault, 'http://x', 'http://x cannot be reached');
}

function answered(statusCode: number): Error {
  return new ImgapiError('no', { code: `Http${statusCode}`, statusCode });
}

/** Each watch gives the next of these, statuses and then perhaps an error. */
function watching(...attempts: readonly (readonly (CopyStatus | Error)[])[]): WatchCopy {
  let attempt = 0;
  return async function* () {
    for (const one of attempts[attempt++] ?? []) {
      if (one instanceof Error) throw one;
      yield one;
    }
  };
}

async function kinds(events: AsyncIterable<CopyEvent>): Promise<string[]> {
  const seen: string[] = [];
  for await (const event of events) seen.push(event.kind === 'status' ? event.status.state : event.kind);
  return seen;
}

function follow(watch: WatchCopy, patience = 60_000, signal = new AbortController().signal) {
  return followCopy(watch, { signal, patience, pause: PAUSE });
}

test('a copy is followed to its end', async (t) => {
  t.strictSame(await kinds(follow(watching([RUNNING, RUNNING, DONE]))), ['running', 'running', 'succeeded']);
});

const BREAKS: readonly [string, readonly (CopyStatus | Error)[]][] = [
  ['breaks', [RUNNING, unreachable('reset')]],
  ['ends too early', [RUNNING]],
  ['gets a server that is starting', [RUNNING, answered(503)]],
];

for (const [what, attempt] of BREAKS) {
  test(`a connection that ${what} is made anew`, async (t) => {
    const watch = watching(attempt, [unreachable()], [answered(502)], [RUNNING, DONE]);
    t.strictSame(await kinds(follow(watch)), ['running', 'lost', 'back', 'running', 'succeeded']);
  });
}

test('a copy of which nothing is heard for long is no lost connection', async (t) => {
  const watch = watching([RUNNING, unreachable('idle-timeout')], [RUNNING, DONE]);
  t.strictSame(await kinds(follow(watch)), ['running', 'running', 'succeeded']);
});

test('a server that takes the connection and never says anything is one that is lost', async (t) => {
  const watch = watching([unreachable('idle-timeout')], [DONE]);
  t.strictSame(await kinds(follow(watch)), ['lost', 'back', 'succeeded']);
});

test('a server that does not come back is given up, and the copy is not', async (t) => {
  const error = await kinds(follow(watching([RUNNING, unreachable()], [unreachable()]), 0)).catch((cause) => cause);
  t.match(error, { code: 'Unreachable', exitCode: 3, details: [/goes on/] });
  t.match(error.message, /did not come back: http:\/\/x cannot be reached/);
});

test('a server that has no place for a watch is not lost, and says how far the copy is', async (t) => {
  const crowded = (code: string, statusCode: number) => new ImgapiError('come again', { code, statusCode });
  const [own, all] = [crowded('TooManyRequests', 429), crowded('ServerBusy', 503)];
  t.strictSame(await kinds(follow(watching([own], [all], [own], [RUNNING, DONE]), 0)), ['running', 'succeeded']);
  t.strictSame(await kinds(follow(watching([unreachable()], [own], [DONE]))), ['lost', 'back', 'succeeded']);
  const told = [RUNNING, DONE];
  const ask = async () => told.shift() ?? DONE;
  t.strictSame(await kinds(follow(watchOrAsk(watching([own], [all]), ask), 0)), ['running', 'succeeded']);
});

test('a copy that the server does not know, or may not be seen, is the end', async (t) => {
  for (const status of [404, 401, 403]) {
    const error = await kinds(follow(watching([RUNNING, answered(status)]))).catch((cause) => cause);
    t.match(error, { name: 'ImgapiError', statusCode: status });
  }
});

test('an interrupt ends the wait for the server', async (t) => {
  const controller = new AbortController();
  const events = followCopy(watching([unreachable()]), {
    signal: controller.signal,
    patience: 60_000,
    pause: { min: 60_000, max: 60_000 },
  });
  t.match(await events.next(), { value: { kind: 'lost' } });
  const next = events.next();
  controller.abort();
  await t.rejects(next, { name: 'AbortError' });
});
