/** Today's IMGAPI and this one on the same bucket: as it finds it, and while both of them use it. */
import { type Test, test } from 'tap';
import { openMorayStore } from '#lib/documents/moray/store.ts';
import type { Store } from '#lib/documents/store.ts';
import { updateObject } from '#lib/documents/update.ts';
import { IMAGES } from '#lib/manifest/record.ts';
import { morayDouble, type RawClient, rawClient } from '../../../doubles/moray/client.ts';
import type { MorayDouble } from '../../../doubles/moray/server.ts';
import { waitFor } from '../../../helpers/wait.ts';
import { FRIEND, makeTodaysBucket, OWNER, PLAIN, RICH, WITH_INDEXES } from './todays-bucket.ts';

interface Both {
  readonly server: MorayDouble;
  /** As today's IMGAPI uses it. */
  readonly today: RawClient;
  readonly open: (settleMs?: number) => Promise<Store>;
}

async function both(t: Test, server?: MorayDouble): Promise<Both> {
  const double = server ?? (await morayDouble(t));
  const today = await rawClient(t, double);
  await makeTodaysBucket(today);
  const open = async (settleMs?: number): Promise<Store> => {
    const store = await openMorayStore({
      ...{ host: '127.0.0.1', port: double.port, connections: 2 },
      ...(settleMs !== undefined && { settleMs }),
    });
    t.teardown(() => store.close());
    await store.open([IMAGES]);
    return store;
  };
  return { server: double, today, open };
}

const CHANNEL = { op: 'contains', field: 'channels', value: 'dev' } as const;

/** How the bucket is asked for what is in a channel. */
function filtersOf({ calls }: MorayDouble): string[] {
  return calls.filter(({ method }) => method === 'findObjects').map(({ args }) => String(args[1]));
}

test('the bucket is taken as it is, and gets a version before it gets indexes', async (t) => {
  const { server, today, open } = await both(t);
  const store = await open();
  t.match(
    server.calls.filter(({ method }) => method === 'updateBucket').map(({ args }) => args),
    [
      ['imgapi_images', { options: { version: WITH_INDEXES - 1 }, index: { channels: undefined } }],
      [
        'imgapi_images',
        { options: { version: WITH_INDEXES }, index: { channels: { type: '[string]' }, grants: Object } },
      ],
    ],
  );
  t.match((await store.get(IMAGES, PLAIN))?.value, { uuid: PLAIN, channels: ['dev'], activated: true });
  t.match((await store.get(IMAGES, RICH))?.value, { activated: true, public: false, billing_tags: ['xxl'] });
  t.equal((await store.find(IMAGES, { filter: CHANNEL })).length, 1, 'an index that is not filled yet is not believed');
  t.match((await today.get('imgapi_images', PLAIN)).value, { channels: ['dev'] }, 'nor does it hide anything');
});

test('lists of today find what they found: by owner, tag, ACL, date, in order', async (t) => {
  const { open } = await both(t);
  const store = await open();
  const uuids = async (...args: Parameters<typeof store.find> extends [unknown, ...infer R] ? R : never) =>
    (await store.find(IMAGES, ...args)).map(({ value }) => value.uuid);
  const sort = { field: 'published_at', order: 'desc' } as const;
  t.strictSame(await uuids({ sort, filter: { op: 'eq', field: 'owner', value: OWNER } }), [RICH, PLAIN]);
  t.strictSame(await uuids({ filter: { op: 'contains', field: 'acl', value: FRIEND } }), [RICH]);
  t.strictSame(await uuids({ filter: { op: 'contains', field: 'tags', value: 'role=db' } }), [RICH]);
  t.strictSame(await uuids({ filter: { op: 'containsPrefix', field: 'tags', value: 'role=' } }), [RICH]);
  t.strictSame(await uuids({ filter: { op: 'contains', field: 'billing_tags', value: 'xxl' } }), [RICH]);
  t.strictSame(await uuids({ filter: { op: 'not', of: { op: 'contains', field: 'acl', value: FRIEND } } }), [PLAIN]);
  t.strictSame(await uuids({ sort, filter: { op: 'le', field: 'published_at', value: '2016' } }), [PLAIN]);
});

test('what this one writes is as today’s IMGAPI expects it, and the other way round', async (t) => {
  const { today, open } = await both(t);
  const store = await open();
  const change = (more: object): Promise<unknown> =>
    updateObject(store, IMAGES, RICH, (current) => ({ ...current, ...more, rev: (current.rev ?? 0) + 1 }));
  await change({ grants: [OWNER], shares: [{ entry: 'bob', account: OWNER }], billing_tags: ['xxl', ' odd ', 'null'] });

  const seen = await today.get('imgapi_images', RICH);
  t.match(seen.value, { uuid: RICH, activated: true, disabled: false, public: false, acl: [FRIEND], type: 'zvol' });
  t.strictSame(seen.value['tags'], ['role=db', 'cloud=true']);
  t.strictSame(seen.value['billing_tags'], ['xxl'], 'what its index cannot hold it does not see');
  t.equal(await today.keys('imgapi_images', `(&(owner=${OWNER})(public=false)(acl=${FRIEND}))`), RICH);
  t.strictSame((await store.get(IMAGES, RICH))?.value.billing_tags, ['xxl', ' odd ', 'null'], 'this one does');

  // It reads, changes, and writes all of it, without a condition.
  await today.put('imgapi_images', RICH, { ...seen.value, acl: [FRIEND, OWNER] });
  const after = await store.get(IMAGES, RICH);
  t.strictSame(after?.value.acl, [FRIEND, OWNER]);
  t.strictSame(after?.value.grants, [OWNER], 'what it does not know it leaves alone');
  t.strictSame(after?.value.billing_tags, ['xxl', ' odd ', 'null']);
  await today.put('imgapi_images', RICH, { ...seen.value, billing_tags: ['small'] });
  t.strictSame((await store.get(IMAGES, RICH))?.value.billing_tags, ['small'], 'what it changes counts');
});

test('a write on condition notices that today’s IMGAPI was faster', async (t) => {
  const { today, open } = await both(t);
  const store = await open();
  const { etag, value } = (await store.get(IMAGES, PLAIN)) ?? { etag: '', value: {} };
  const { value: theirs } = await today.get('imgapi_images', PLAIN);
  await today.put('imgapi_images', PLAIN, { ...theirs, description: 'theirs' });
  const write = store.batch([{ op: 'put', bucket: IMAGES, key: PLAIN, value, ifEtag: etag }]);
  await t.rejects(write, { name: 'EtagConflictError', expected: etag });
  const kept = await updateObject(store, IMAGES, PLAIN, (current) => ({ ...current, rev: 1 }));
  t.match(kept?.value, { description: 'theirs', rev: 1 });
});

test('nothing is lost of what is written through a server that does not know the new indexes yet', async (t) => {
  const { server, open } = await both(t);
  const stale = await (await import('../../../doubles/moray/client.ts')).morayDouble(t, server.storage);
  const today = await rawClient(t, stale);
  await today.keys('imgapi_images', `(uuid=${PLAIN})`);
  const store = await open(300);
  const { value } = await today.get('imgapi_images', PLAIN);
  await today.put('imgapi_images', PLAIN, { ...value, channels: ['dev', 'staging'] });
  const staging = { op: 'contains', field: 'channels', value: 'staging' } as const;
  t.equal(await store.count(IMAGES, staging), 1);

  await waitFor('the indexes to be used', async () => {
    server.calls.length = 0;
    await store.count(IMAGES, staging);
    return filtersOf(server)[0] === '(channels=staging)';
  });
  t.strictSame((await store.get(IMAGES, PLAIN))?.value.channels, ['dev', 'staging']);
  t.equal(await store.count(IMAGES, staging), 1);
  t.equal(await store.count(IMAGES, CHANNEL), 1);
  t.strictSame(server.storage.config('imgapi_images')?.reindexing, {});
});

test('twenty processes that open it at once all have it in the end, of whatever age it is', async (t) => {
  for (const make of [true, false]) {
    const server = await morayDouble(t);
    if (make) await makeTodaysBucket(await rawClient(t, server));
    const stores = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const store = await openMorayStore({ host: '127.0.0.1', port: server.port, connections: 1 });
        t.teardown(() => store.close());
        await store.open([IMAGES]);
        return store;
      }),
    );
    const counts = await Promise.all(
      stores.map((store) => store.count(IMAGES, { op: 'eq', field: 'name', value: 'rich' })),
    );
    t.strictSame(new Set(counts), new Set([make ? 1 : 0]));
    t.equal(server.storage.config('imgapi_images')?.version, WITH_INDEXES);
  }
});
