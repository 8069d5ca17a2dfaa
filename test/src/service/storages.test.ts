/** Which object store takes what. */
import { test } from 'tap';
import type { ImageRecord } from '#lib/manifest/record.ts';
import type { ObjectStore } from '#lib/objects/object-store.ts';
import { Storages } from '#src/service/storages.ts';
import { ADMIN, ALICE } from '../../helpers/accounts.ts';

const store = (name: string) => ({ name }) as ObjectStore;
const local = store('local');
const manta = store('manta');
const config = { adminUuid: ADMIN };
const operator = (storage?: string) => ({ storage, account: undefined });

test('files go to the shared store where there is one, but the admin’s own stay local', async (t) => {
  const both = new Storages(config, local, manta, store('s3'));
  t.equal(both.ofOwner(ALICE), manta);
  t.equal(both.ofOwner(ADMIN), local);
  t.equal(both.forUpload(ALICE, { storage: undefined, account: ALICE }), manta);
  t.equal(both.forUpload(ADMIN, operator()), local);
  const one = new Storages(config, local);
  t.equal(one.ofOwner(ALICE), local);
  t.equal(one.ofOwner(ADMIN), local);
});

test('an owner that is not known is not the admin that is not configured', async (t) => {
  t.equal(new Storages({}, local, manta).ofOwner(undefined), manta);
});

test('operators choose a store, and nobody else does', async (t) => {
  const both = new Storages(config, local, manta);
  t.equal(both.forUpload(ADMIN, operator('manta')), manta);
  t.equal(both.forUpload(ALICE, operator('local')), local);
  t.throws(() => both.forUpload(ALICE, { storage: 'local', account: ALICE }), {
    statusCode: 422,
    errors: [{ field: 'storage', code: 'NotAllowed', message: 'only operators may choose the storage' }],
  });
  t.throws(() => both.forUpload(ALICE, operator('tape')), {
    statusCode: 422,
    errors: [{ field: 'storage', message: 'storage is "tape"; the stores here are: local, manta' }],
  });
});

test('a record names its store', async (t) => {
  const both = new Storages(config, local, manta);
  t.equal(both.named('manta'), manta);
  t.throws(() => both.named('s3'), { statusCode: 503, code: 'StorageIsDown', message: /"s3" is not configured here/ });
  t.equal(both.find('s3'), undefined);
  t.strictSame([...both], [local, manta]);
  t.strictSame(both.names, ['local', 'manta']);
});

test('a store that exists but is not configured is answered by the local one', async (t) => {
  t.equal(new Storages(config, local).forUpload(ALICE, operator('manta')), local);
  t.equal(new Storages(config, local, manta).forUpload(ALICE, operator('s3')), local);
  t.equal(new Storages(config, manta).forUpload(ALICE, operator('local')), manta);
});

test('the order of the configuration decides which shared store is preferred', async (t) => {
  const both = new Storages(config, manta, local, store('s3'));
  t.equal(both.preferred, manta);
  t.equal(both.ofOwner(ADMIN), local);
  t.strictSame(both.names, ['manta', 'local', 's3']);
  t.equal(new Storages(config, local).preferred, local);
  t.throws(() => new Storages(config), /needs an object store/);
});

test('where no local store is configured, nothing goes there', async (t) => {
  const s3 = store('s3');
  const shared = new Storages(config, s3);
  t.equal(shared.ofOwner(ADMIN), s3);
  t.equal(shared.forUpload(ADMIN, operator()), s3);
  t.equal(shared.forIcon({ owner: ADMIN }, operator()), s3);
});

test('an icon stays with the file, unless an operator puts it elsewhere', async (t) => {
  const both = new Storages(config, local, manta);
  const files: ImageRecord['files'] = [{ sha1: '', size: 1, compression: 'none', stor: 'local' }];
  t.equal(both.forIcon({ owner: ALICE, files }, operator()), local);
  t.equal(both.forIcon({ owner: ALICE, files }, operator('manta')), manta);
  t.equal(both.forIcon({ owner: ALICE, files: [] }, operator()), manta);
  t.equal(both.forIcon({ owner: ALICE }, operator()), manta);
  t.equal(both.forIcon({ owner: ADMIN }, operator()), local);
  t.throws(
    () => both.forIcon({ owner: ALICE, files }, { storage: 'local', account: ALICE }),
    /only operators may choose/,
  );
  t.throws(() => both.forIcon({ owner: ALICE, files }, operator('tape')), /storage is "tape"/);
});
