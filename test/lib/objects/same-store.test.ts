/** A store that is replaced while it is in use has lost nothing, and takes nothing. */
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'tap';
import { ObjectNotFoundError, ObjectStoreUnavailableError } from '#lib/objects/errors.ts';
import { openLocalStore } from '#lib/objects/local/store.ts';
import { pause } from '#lib/runtime/timers.ts';
import { bytes, get, put, same, sessionName } from '../../conformance/objects/harness.ts';
import { s3UnderTest } from '../../engines/s3.ts';
import { temporaryFolder } from '../../helpers/imgapi.ts';

const BYTES = bytes(1000);

test('a disk that is gone from its folder takes away what it has, and nothing is written in its place', async (t) => {
  const folder = await temporaryFolder(t);
  const [root, away] = [join(folder, 'storage'), join(folder, 'the disk')];
  const store = await openLocalStore({ root });
  t.teardown(() => store.close());
  await store.identity();
  await put(store, 'images/x', BYTES);
  t.equal(await store.info('images/y'), undefined);
  await t.rejects(store.read('images/y'), ObjectNotFoundError);
  await rename(root, away);
  await mkdir(root);
  const replaced = { name: 'ObjectStoreUnavailableError', message: /"local" was replaced while in use .*disk/ };
  await t.rejects(store.info('images/x'), replaced);
  await t.rejects(store.read('images/x'), replaced);
  await t.rejects(store.hash('images/x'), replaced);
  await t.rejects(store.identity(), replaced);
  // Who writes asks once a second.
  await pause(1000);
  await t.rejects(put(store, 'images/z', BYTES), replaced);
  t.notOk((await readdir(root)).includes('images'));
  await rm(root, { recursive: true });
  await rename(away, root);
  same(t, await get(store, 'images/x'), BYTES, 'there again');
  await put(store, 'images/z', BYTES);
});

test('a bucket that is gone is a store that is down, whatever is asked of it', async (t) => {
  const { double, open } = await s3UnderTest(t);
  const store = await open({ attempts: 1 });
  await store.identity();
  await put(store, 'images/x', BYTES);
  double.faults.plan('*', { kind: 'answer', status: 404, code: 'NoSuchBucket' }, 1000);
  const gone = { name: 'ObjectStoreUnavailableError', message: /the bucket does not exist/ };
  await t.rejects(store.info('images/x'), gone);
  await t.rejects(store.read('images/x'), gone);
  await t.rejects(
    store
      .open({ path: 'images/z', session: sessionName() })
      .then((it) => it.append(Readable.from([BYTES])).then(() => it.commit())),
    gone,
  );
  double.faults.clear();
  same(t, await get(store, 'images/x'), BYTES, 'there again');
});

test('what S3 refuses without saying why is asked for again, so that the reason is told', async (t) => {
  const { double, open } = await s3UnderTest(t);
  const store = await open({ attempts: 1 });
  await put(store, 'images/x', BYTES);
  double.faults.plan('*', { kind: 'answer', status: 403, code: 'SignatureDoesNotMatch' }, 2);
  await t.rejects(store.info('images/x'), { message: /^the secret access key is not the one of the access key/ });
  double.faults.plan('HeadObject', { kind: 'answer', status: 403, code: 'AccessDenied' });
  const refused = store.info('images/x');
  await t.rejects(refused, ObjectStoreUnavailableError);
  await t.rejects(refused, { message: /^the credentials do not allow this in the bucket \(HeadObject: 403/ });
});
