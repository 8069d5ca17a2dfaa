import { mkdtemp, readFile, realpath, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import type { Test } from 'tap';
import { request } from 'undici';
import type { Capability } from '#lib/objects/capabilities.ts';
import { duplicate } from '#lib/objects/duplicate.ts';
import {
  InvalidPathError,
  ObjectNotFoundError,
  ObjectStoreUnavailableError,
  ObjectTruncatedError,
  SessionExistsError,
  SessionGoneError,
  TooLargeError,
  UnsupportedError,
} from '#lib/objects/errors.ts';
import type { ObjectStore } from '#lib/objects/object-store.ts';
import { bytes, type Define, get, hashesOf, MIB, put, same, sessionName } from './harness.ts';

/** The call that each capability allows. */
const CALLS: Readonly<Record<Capability, (store: ObjectStore) => Promise<unknown>>> = {
  supportsLink: (store) => store.link('x', 'y'),
  supportsServerCopy: (store) => store.serverCopy('x', 'y'),
  supportsSignedUrl: (store) => store.signUrl('x', new Date(Date.now() + 60_000)),
  supportsSiblings: async (store) => store.siblingPath('elsewhere', 'x'),
  supportsTakeOver: async (store) => {
    const session = await store.open({ path: 'y', session: sessionName(), takeOver: { session: sessionName() } });
    await session.discard();
  },
  supportsExport: (store) => exported(store, bytes(10)),
  supportsAdoption: (store) =>
    fileOfThisMachine(bytes(10), async (file) => {
      const session = await store.adopt({ path: 'y', session: sessionName(), file });
      await session.discard();
    }),
  supportsPieces: async (store) => {
    const session = await store.openPieces({ path: 'y', session: sessionName(), size: 10 });
    await session.discard();
  },
};

/** In the file system of the stores under test. */
async function fileOfThisMachine<T>(whole: Buffer, use: (file: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(await realpath(tmpdir()), 'adopted-'));
  try {
    await writeFile(join(folder, 'file'), whole);
    return await use(join(folder, 'file'));
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** In the account that the stores under test have. */
const FOREIGN = '/admin/stor/for others/x';

function exported(store: ObjectStore, whole: Buffer, body = [whole], md5 = hashesOf(whole).md5): Promise<void> {
  return store.exportTo(FOREIGN, () => Readable.from(body), { size: whole.length, md5 });
}

export function capabilityTests(define: Define): void {
  define('what is claimed works, and what is not is refused with its reason', async (t, { store }) => {
    await put(store, 'x', bytes(10));
    for (const [capability, call] of Object.entries(CALLS) as [Capability, (typeof CALLS)[Capability]][]) {
      const reason = store.capabilities.reasons[capability];
      if (store.capabilities[capability]) {
        await call(store);
        t.equal(reason, undefined, `${capability} is claimed`);
      } else {
        await refused(t, call(store), capability, `the object store "${store.name}" ${reason}`);
        t.match(reason, /^[a-z].*[^.]$/, `${capability}: the reason is the rest of a sentence`);
        t.match(await store.list(''), [{ name: 'x' }], 'nothing was made');
      }
      await store.remove('y');
    }
  });

  define('a second name is given by the way that the store has, or not at all', async (t, { store }) => {
    const { supportsLink, supportsServerCopy } = store.capabilities;
    await put(store, 'x', bytes(MIB));
    const has = supportsLink || supportsServerCopy;
    t.equal(await duplicate(store, 'x', 'y'), has);
    await store.remove('x');
    t.equal((await store.info('y'))?.size, has ? MIB : undefined);
    if (has) await t.rejects(duplicate(store, 'x', 'z'), ObjectNotFoundError);
  });

  define.where('supportsServerCopy', 'a server copy lives on independently, and replaces', async (t, { store }) => {
    const whole = bytes(2 * MIB);
    await put(store, 'a/x', whole);
    await put(store, 'b/c/y', bytes(3, 2));
    await store.serverCopy('a/x', 'b/c/y');
    same(t, await get(store, 'b/c/y'), whole, 'copied');
    await put(store, 'a/x', bytes(3, 2));
    await store.remove('a/x');
    same(t, await get(store, 'b/c/y'), whole, 'after the first was replaced and removed');
    await t.rejects(store.serverCopy('a/x', 'z'), ObjectNotFoundError);
    t.equal(await store.info('z'), undefined);
  });

  define.where('supportsSignedUrl', 'a signed URL reads one object until it expires', async (t, { store }) => {
    const whole = bytes(MIB);
    await put(store, 'dir/x ä', whole);
    await put(store, 'y', bytes(5));
    const url = await store.signUrl('dir/x ä', new Date(Date.now() + 60_000));
    same(t, await body(url), whole, 'whole');
    same(t, await body(url, 'bytes=10-19'), whole.subarray(10, 20), 'a part');
    const other = new URL(await store.signUrl('y', new Date(Date.now() + 60_000)));
    t.ok((await statusOf(Object.assign(new URL(url), { pathname: other.pathname }))) >= 400, 'another object');
    t.ok((await statusOf(await store.signUrl('y', new Date(Date.now() - 1000)))) >= 400, 'expired');
    await t.rejects(store.signUrl('../x', new Date()), InvalidPathError);
  });

  define.where('supportsExport', 'what is exported appears whole, or not at all', async (t, { store }) => {
    t.equal(await store.isForeignDirectory('/admin/stor/for others'), false);
    await exported(store, bytes(MIB));
    t.equal(await store.isForeignDirectory('/admin/stor/for others'), true);
    t.equal(await store.isForeignDirectory(FOREIGN), false);
    await exported(store, bytes(2 * MIB));
    const wrong = exported(store, bytes(MIB), [bytes(MIB, 3)], hashesOf(bytes(MIB)).md5);
    await t.rejects(wrong, ObjectStoreUnavailableError, 'other bytes than were announced');
    await t.rejects(exported(store, bytes(MIB), [bytes(5)]), ObjectTruncatedError, 'fewer of them');
    await t.rejects(exported(store, bytes(5), [bytes(MIB)]), TooLargeError, 'more of them');
    await exported(store, bytes(MIB));
    t.strictSame(await store.list(''), [], 'nothing of it is in the store itself');
    for (const bad of ['x', 'admin/stor/x', '/admin/../x', '/admin//x', '/']) {
      const options = { size: 1, md5: hashesOf(bytes(1)).md5 };
      await t.rejects(
        store.exportTo(bad, () => Readable.from([bytes(1)]), options),
        InvalidPathError,
        bad,
      );
    }
    const nobodys = store.exportTo('/nobody/stor/x', () => Readable.from([bytes(1)]), {
      size: 1,
      md5: hashesOf(bytes(1)).md5,
    });
    await t.rejects(nobodys, InvalidPathError, 'an account that is not there');
  });

  define.where(
    'supportsAdoption',
    'a file of this machine becomes an object, and stays where it is',
    async (t, { store }) => {
      const whole = bytes(2 * MIB);
      await fileOfThisMachine(whole, async (file) => {
        const name = sessionName();
        const session = await store.adopt({ path: 'dir/x', session: name, file });
        t.match(await store.sessions(), [{ session: name, size: whole.length }], 'it is staged under its name');
        t.equal(session.size, whole.length);
        t.strictSame(await session.hashes(), hashesOf(whole));
        t.equal(await store.info('dir/x'), undefined, 'not visible yet');
        await t.rejects(session.append(Readable.from([bytes(1)])));
        await session.flush();
        t.match(await session.commit(), { path: 'dir/x', size: whole.length });
        same(t, await get(store, 'dir/x'), whole, 'the object');
        same(t, await readFile(file), whole, 'the file');
        t.equal((await stat(file)).nlink, 2, 'no byte was copied');

        const again = await store.adopt({ path: 'dir/x', session: sessionName(), file });
        await again.commit();
        t.strictSame(await store.sessions(), [], 'the same file twice leaves no name behind');
        await store.remove('dir/x');
        same(t, await readFile(file), whole, 'the file outlives the object');
      });
    },
  );

  define.where('supportsAdoption', 'an adoption that was discarded places nothing', async (t, { store }) => {
    await fileOfThisMachine(bytes(10), async (file) => {
      const name = sessionName();
      const session = await store.adopt({ path: 'x', session: name, file });
      await t.rejects(store.adopt({ path: 'y', session: name, file }), SessionExistsError);
      await store.discard(name);
      await t.rejects(session.commit(), SessionGoneError);
      await session.discard();
      t.equal(await store.info('x'), undefined);
      const linked = join(dirname(file), 'link');
      await symlink(file, linked);
      for (const other of [dirname(file), linked, '/proc/self/status']) {
        const adopted = store.adopt({ path: 'x', session: sessionName(), file: other });
        await t.rejects(adopted, UnsupportedError, `${other} is no file of its own here`);
      }
      await t.rejects(store.adopt({ path: 'x', session: sessionName(), file: join(file, 'none') }));
      t.strictSame(await store.sessions(), []);
    });
  });

  define.where('supportsSiblings', 'the objects of a sibling are reached by its paths', async (t, made) => {
    const sibling = await made.sibling?.('us-other-1');
    if (!sibling) return t.fail('the harness opens a sibling');
    const { store } = made;
    await put(sibling, 'dir/x', bytes(MIB));
    const path = store.siblingPath('us-other-1', 'dir/x');
    t.match(await store.info(path), { size: MIB });
    t.strictSame(await store.hash(path), { ...hashesOf(bytes(MIB)), size: MIB });
    t.equal(await store.info('dir/x'), undefined);
    t.ok(await duplicate(store, path, 'dir/mine'));
    await sibling.remove('dir/x');
    same(t, await get(store, 'dir/mine'), bytes(MIB), 'a name of our own');
    t.equal(await store.info(path), undefined);
    t.throws(() => store.siblingPath('us-other-1', '../x'), InvalidPathError);
    t.equal(await sibling.identity(), await store.identity());
  });
}

async function refused(t: Test, call: Promise<unknown>, capability: Capability, message: string): Promise<void> {
  const error = await call.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  t.type(error, UnsupportedError, capability);
  t.match(error, { capability, message });
}

async function body(url: string, range?: string): Promise<Buffer> {
  const answer = await request(url, range === undefined ? {} : { headers: { range } });
  return Buffer.from(await answer.body.arrayBuffer());
}

async function statusOf(url: string | URL): Promise<number> {
  const { statusCode, body: rest } = await request(url);
  await rest.dump();
  return statusCode;
}
