import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'tap';
import { writeWhole } from '#lib/runtime/write-whole.ts';

test('a file is written for its user alone, in place of what was there', async (t) => {
  const file = join(t.testdir({ it: 'before' }), 'it');
  await writeWhole(file, 'after');
  t.equal(await readFile(file, 'utf8'), 'after');
  t.equal((await stat(file)).mode & 0o777, 0o600);
});

test('nothing is left of one that cannot be put in its place', async (t) => {
  const folder = t.testdir();
  const taken = join(folder, 'taken');
  await mkdir(taken);
  await writeFile(join(taken, 'inside'), '');
  await t.rejects(writeWhole(taken, 'x'));
  t.same(await readdir(folder), ['taken']);
});
