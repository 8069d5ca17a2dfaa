/** Waiting for a promise no longer than so long. */
import { once } from 'node:events';
import { getActiveResourcesInfo } from 'node:process';
import { test } from 'tap';
import { within } from '#lib/runtime/within.ts';

const NEVER = new Promise<never>(() => {});
const HOUR = 3600_000;

test('What comes in time is passed on, and no timer is left', async (t) => {
  const before = getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  t.equal(await within(HOUR, Promise.resolve(undefined), () => 'late'), undefined);
  await t.rejects(
    within(HOUR, Promise.reject(new Error('down')), () => 'late'),
    { message: 'down' },
  );
  t.equal(getActiveResourcesInfo().filter((name) => name === 'Timeout').length, before);
});

test('For what takes longer there is what else to return or throw', async (t) => {
  t.equal(await within(1, NEVER, () => 'late'), 'late');
  const failing = within(1, NEVER, () => {
    throw new Error('no answer');
  });
  await t.rejects(failing, { message: 'no answer' });
});

test("A failure that comes too late is nobody's", async (t) => {
  const promise = Promise.withResolvers<never>();
  t.equal(await within(1, promise.promise, () => 'late'), 'late');
  const unhandled = once(process, 'unhandledRejection').then(() => 'unhandled');
  promise.reject(new Error('down'));
  t.equal(await Promise.race([unhandled, new Promise((resolve) => setImmediate(resolve, 'nothing'))]), 'nothing');
});
