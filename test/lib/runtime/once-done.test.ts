import { test } from 'tap';
import { onceDone } from '#lib/runtime/once-done.ts';

test('what went well is kept, and what failed is tried again by the next who asks', async (t) => {
  const outcomes = [new Error('no descriptors left'), undefined];
  let begun = 0;
  const get = onceDone(async () => {
    const failure = outcomes[begun];
    begun += 1;
    if (failure) throw failure;
    return begun;
  });
  const [first, second] = [get(), get()];
  await t.rejects(first, { message: 'no descriptors left' });
  await t.rejects(second, { message: 'no descriptors left' }, 'who asks meanwhile waits for the same');
  t.equal(await get(), 2);
  t.equal(await get(), 2);
});
