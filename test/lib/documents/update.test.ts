/** Trying again after a lost race, beside what the conformance suite of the stores asks of updates. */
import { test } from 'tap';
import { EtagConflictError } from '#lib/documents/errors.ts';
import { isConflict, retryOnConflict, StaleReadError, unlessChanged } from '#lib/documents/update.ts';

const LOST = new EtagConflictError('bucket', 'key', 'mine', 'theirs');
const STALE = new StaleReadError('it is not there any more');

/** Fails with each of these in turn, then answers how often it was asked. */
function losing(...errors: readonly Error[]): () => Promise<number> {
  const left = [...errors];
  let count = 0;
  return async () => {
    count += 1;
    const error = left.shift();
    if (error) throw error;
    return count;
  };
}

test('work is done again as long as somebody else is faster', async (t) => {
  t.equal(await retryOnConflict(losing()), 1);
  t.equal(await retryOnConflict(losing(LOST, STALE, LOST)), 4);
});

test('what else goes wrong is thrown at once, and so is the last conflict', async (t) => {
  await t.rejects(retryOnConflict(losing(LOST, new RangeError('no'), LOST)), RangeError);
  await t.rejects(retryOnConflict(losing(LOST, STALE), { attempts: 2 }), { name: 'StaleReadError' });
});

test('the work may know other conflicts', async (t) => {
  const options = { isConflict: (error: unknown) => error instanceof RangeError };
  t.equal(await retryOnConflict(losing(new RangeError('again')), options), 2);
  await t.rejects(retryOnConflict(losing(LOST), options), { name: 'EtagConflictError' });
});

test('a signal ends the trying', async (t) => {
  await t.rejects(retryOnConflict(losing(LOST), { signal: AbortSignal.abort() }), { name: 'AbortError' });
});

test('a write that may come too late tells whether it did', async (t) => {
  t.equal(await unlessChanged(Promise.resolve()), true);
  t.equal(await unlessChanged(Promise.reject(LOST)), false);
  t.equal(await unlessChanged(Promise.reject(STALE)), false);
  await t.rejects(unlessChanged(Promise.reject(new RangeError('no'))), RangeError);
  t.same([LOST, STALE, new RangeError('no')].map(isConflict), [true, true, false]);
});
