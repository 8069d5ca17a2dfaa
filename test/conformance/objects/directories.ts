import { duplicate } from '#lib/objects/duplicate.ts';
import { InvalidPathError } from '#lib/objects/errors.ts';
import type { ObjectStore } from '#lib/objects/object-store.ts';
import { bytes, type Define, get, MIB, put, same, sessionName } from './harness.ts';

const BAD_PATHS = ['', '/', '/a', 'a/', 'a//b', '.', '..', '../a', 'a/../b', 'a/./b', 'a/..', 'a\0b', 'a\nb'];
const LONG_PATHS = ['a'.repeat(256), 'a/'.repeat(600).concat('a')];

/** Every call that takes a path, called with the given one. */
function callsWith(store: ObjectStore, path: string): (() => Promise<unknown>)[] {
  const { supportsLink, supportsServerCopy } = store.capabilities;
  return [
    () => store.info(path),
    () => store.read(path),
    () => store.hash(path),
    () => store.open({ path, session: sessionName() }),
    ...(supportsLink ? [() => store.link(path, 'x'), () => store.link('x', path)] : []),
    ...(supportsServerCopy ? [() => store.serverCopy(path, 'x'), () => store.serverCopy('x', path)] : []),
    () => store.remove(path),
    () => store.removeTree(path),
  ];
}

async function secondName(store: ObjectStore, from: string, to: string, whole: Buffer): Promise<void> {
  if (!(await duplicate(store, from, to))) await put(store, to, whole);
}

export function directoryTests(define: Define): void {
  define.where('supportsLink', 'a link is a second name that lives on independently', async (t, { store }) => {
    const whole = bytes(2 * MIB);
    await put(store, 'a/x', whole);
    await store.link('a/x', 'b/c/y');
    same(t, await get(store, 'b/c/y'), whole, 'linked');
    await put(store, 'a/x', bytes(3, 2));
    same(t, await get(store, 'b/c/y'), whole, 'after the first name was replaced');
    await store.remove('a/x');
    same(t, await get(store, 'b/c/y'), whole, 'after the first name was removed');
    await store.link('b/c/y', 'a/x');
    await store.remove('b/c/y');
    same(t, await get(store, 'a/x'), whole, 'after the second name was removed');
  });

  define.where('supportsLink', 'a link replaces what has the name, also the same bytes', async (t, { store }) => {
    await put(store, 'x', bytes(10));
    await put(store, 'y', bytes(20, 2));
    const { stream } = await store.read('y');
    await store.link('x', 'y');
    await store.link('x', 'y');
    await store.link('x', 'x');
    same(t, await get(store, 'y'), bytes(10), 'the new bytes');
    same(t, Buffer.concat(await stream.toArray()), bytes(20, 2), 'a reader of the old');
    t.match(await store.list(''), [{ name: 'x' }, { name: 'y' }]);
  });

  define('a list tells what is directly below, by name', async (t, { store }) => {
    for (const path of ['d/b', 'd/a', 'd/B', 'd/c/x', 'd/c/y', 'd/10', 'd/9', 'dd/x', 'e']) {
      await put(store, path, bytes(1));
    }
    const object = (name: string) => ({ name, type: 'object' });
    const directory = (name: string) => ({ name, type: 'directory' });
    t.strictSame(await store.list('d'), [...['10', '9', 'B', 'a', 'b'].map(object), directory('c')]);
    t.strictSame(await store.list('d/c'), ['x', 'y'].map(object));
    t.strictSame(await store.list(''), [directory('d'), directory('dd'), object('e')]);
    t.strictSame(await store.list('nothing'), []);
    t.strictSame(await store.list('e'), []);
    t.strictSame(await store.list('e/f'), []);
  });

  define('removing the last object of a directory removes the directory, and no more', async (t, { store }) => {
    for (const path of ['i/1/u/file0', 'i/1/u/icon', 'i/1/v/file0']) {
      await put(store, path, bytes(1));
    }
    await store.remove('i/1/u/icon');
    t.match(await store.list('i/1/u'), [{ name: 'file0' }]);
    await store.remove('i/1/u/file0');
    t.match(await store.list('i/1'), [{ name: 'v' }]);
    await store.remove('i/1/v/file0');
    t.strictSame(await store.list(''), []);
  });

  define('removing what is not there is no error', async (t, { store }) => {
    await put(store, 'd/x', bytes(1));
    for (const path of ['y', 'd/y', 'd', 'd/x/y', 'e/f']) {
      await store.remove(path);
    }
    await store.removeTree('e');
    await store.removeTree('d/y');
    await store.removeTree('d/x/y');
    t.match(await store.info('d/x'), { size: 1 });
  });

  define('removing a tree removes all below it, but no sibling with the same beginning', async (t, { store }) => {
    for (const path of ['p/1/a', 'p/1/b', 'p/1/c/d/e', 'p/10/a', 'p/1.b', 'p/0']) {
      await put(store, path, bytes(1));
    }
    const { stream } = await store.read('p/1/a');
    await store.removeTree('p/1');
    t.strictSame(await store.list('p/1'), []);
    t.equal(await store.info('p/1/c/d/e'), undefined);
    t.match(await store.list('p'), [{ name: '0' }, { name: '1.b' }, { name: '10' }]);
    same(t, Buffer.concat(await stream.toArray()), bytes(1), 'a reader of the tree');
    await store.removeTree('p/0');
    t.match(await store.info('p/0'), { size: 1 }, 'an object is no tree');
    await store.removeTree('p');
    t.strictSame(await store.list(''), []);
  });

  define('objects that come while their directory goes are not lost', async (t, { store, reopen }) => {
    const other = await reopen();
    await Promise.all(
      Array.from({ length: 8 }, async (_, at) => {
        const mine = at % 2 === 0 ? store : other;
        for (let turn = 0; turn < 6; turn += 1) {
          await put(mine, `deep/er/${at}`, bytes(10, at));
          same(t, await get(mine, `deep/er/${at}`), bytes(10, at), `object ${at}`);
          await secondName(mine, `deep/er/${at}`, `deep/links/${at}`, bytes(10, at));
          await mine.remove(`deep/er/${at}`);
          t.match(await mine.info(`deep/links/${at}`), { size: 10 });
          await mine.remove(`deep/links/${at}`);
        }
      }),
    );
    t.strictSame(await store.list(''), []);
  });

  define('paths are checked by every call', async (t, { store }) => {
    await put(store, 'x', bytes(1));
    for (const path of [...BAD_PATHS, ...LONG_PATHS]) {
      for (const call of callsWith(store, path)) {
        await t.rejects(call(), InvalidPathError, `${call}`.concat(JSON.stringify(path).slice(0, 40)));
      }
    }
    for (const path of BAD_PATHS.filter((each) => each !== '')) {
      await t.rejects(store.list(path), InvalidPathError, `list ${JSON.stringify(path)}`);
    }
    same(t, await get(store, 'x'), bytes(1), 'what was there');
  });

  define('names outside ASCII and with blanks are names', async (t, { store }) => {
    const path = 'dir with blank/ä€😀 %2f?#*\\.txt';
    await put(store, path, bytes(5));
    same(t, await get(store, path), bytes(5), 'read');
    t.strictSame(await store.list('dir with blank'), [{ name: 'ä€😀 %2f?#*\\.txt', type: 'object' }]);
    await store.removeTree('dir with blank');
  });

  define('all that open the same store read the same identity', async (t, { store, reopen }) => {
    const others = await Promise.all([reopen(), reopen(), reopen()]);
    const identities = await Promise.all([store, ...others].map((each) => each.identity()));
    t.equal(new Set(identities).size, 1);
    t.match(identities[0], /^[0-9a-f-]{32,}$/);
    t.equal(await store.identity(), identities[0]);
    t.strictSame(await store.list(''), []);
  });
}
