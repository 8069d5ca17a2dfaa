/** Folders with those above them, also where the system makes none. */
import { mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { makeFolder } from '#lib/runtime/make-folder.ts';

const root = await mkdtemp(join(tmpdir(), 'imgapi-test-'));
t.teardown(() => rm(root, { recursive: true, force: true }));

t.test('what is missing is made, and what is there is left', async (t) => {
  await makeFolder(join(root, 'a/b/c'), 0o700);
  for (const path of ['a', 'a/b', 'a/b/c']) t.equal((await stat(join(root, path))).mode & 0o777, 0o700, path);
  await makeFolder(join(root, 'a/b'), 0o755);
  t.equal((await stat(join(root, 'a/b'))).mode & 0o777, 0o700);
  await makeFolder('/', 0o700);
});

t.test('many at once make one', async () => {
  await Promise.all(Array.from({ length: 20 }, () => makeFolder(join(root, 'x/y/z'), 0o700)));
});

t.test('what is no folder is an error', async (t) => {
  await writeFile(join(root, 'file'), '');
  await symlink(join(root, 'nowhere'), join(root, 'link'));
  await t.rejects(makeFolder(join(root, 'file'), 0o700), { code: 'EEXIST' });
  await t.rejects(makeFolder(join(root, 'file/below'), 0o700), { code: 'ENOTDIR' });
  await t.rejects(makeFolder(join(root, 'link'), 0o700), { code: 'EEXIST' });
});

t.test('where the system makes none it comes to an end', { skip: process.platform !== 'linux' }, async (t) => {
  await t.rejects(makeFolder('/proc/imgapi/data', 0o700), { code: 'ENOENT' });
});
