import { test } from 'tap';
import { UploadGuard } from '#lib/client/upload-guard.ts';

function runningTimers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
}

test('a source that goes on after the answer starts no clock, which would keep the process up for an hour', async (t) => {
  const wanted = Promise.withResolvers<void>();
  async function* source() {
    yield Buffer.from('first');
    await wanted.promise;
    yield Buffer.from('last');
  }
  const before = runningTimers();
  const guard = new UploadGuard(source(), {
    url: 'http://127.0.0.1',
    idleTimeout: 3_600_000,
    answerTimeout: 3_600_000,
  });
  const body = guard.body();
  t.equal(String((await body.next()).value), 'first');
  t.equal(runningTimers(), before + 1, 'the server has to take the first bytes');
  const next = body.next();
  guard.close();
  wanted.resolve();
  t.equal(String((await next).value), 'last');
  t.equal((await body.next()).done, true);
  t.equal(runningTimers(), before);
});
