import { test } from 'tap';
import { forEachInTurn } from '#lib/runtime/each.ts';

async function* bits(): AsyncGenerator<number[], void> {
  yield [1, 2, 3];
  yield [4, 5];
}

test('what comes bit by bit has its turn whatever fails before it', async (t) => {
  const seen: number[] = [];
  const all = forEachInTurn(bits(), (bit) =>
    forEachInTurn(bit, async (item) => {
      seen.push(item);
      if (item % 2 === 0) throw new Error(`${item} fails`);
    }),
  );
  await t.rejects(all, { message: '2 fails' });
  t.same(seen, [1, 2, 3, 4, 5]);
});

test('a source that fails ends it at once', async (t) => {
  async function* broken(): AsyncGenerator<number, void> {
    yield 1;
    throw new Error('no more');
  }
  await t.rejects(
    forEachInTurn(broken(), async () => {}),
    { message: 'no more' },
  );
});
