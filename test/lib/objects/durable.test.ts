import { rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'tap';
import { moveInto, pruneUpwards } from '#lib/objects/local/durable.ts';

const WRITERS = 6;
const ROUNDS = 150;

test('directories that others make and remove at the same time are no obstacle', async (t) => {
  const root = t.testdir();
  await Promise.all(
    Array.from({ length: WRITERS }, async (_, writer) => {
      const from = join(root, `staged-${writer}`);
      const to = join(root, 'images', 'abc', `image-${writer}`, 'file0');
      await writeFile(from, 'bytes');
      for (let round = 0; round < ROUNDS; round += 1) {
        await moveInto(from, to);
        await rename(to, from);
        await pruneUpwards(dirname(to), root);
      }
    }),
  );
});

test('a parent that is a file is one', async (t) => {
  const root = t.testdir({ staged: 'bytes', file: 'a file' });
  await t.rejects(moveInto(join(root, 'staged'), join(root, 'file', 'below', 'file0')), { code: 'ENOTDIR' });
  await rm(join(root, 'staged'));
  await t.rejects(moveInto(join(root, 'staged'), join(root, 'elsewhere', 'file0')), { code: 'ENOENT' });
});
