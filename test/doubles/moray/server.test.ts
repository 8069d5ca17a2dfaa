/** Holds the double to what was seen of a real server, and to what its source says; the names are the facts. */
import { type Test, test } from 'tap';
import { waitFor } from '../../helpers/wait.ts';
import { morayDouble, type RawClient, rawClient } from './client.ts';

const INDEX = {
  name: { type: 'string' },
  size: { type: 'number' },
  open: { type: 'boolean' },
  day: { type: 'date' },
  tags: { type: '[string]' },
  code: { type: 'string', unique: true },
};

async function bucketed(t: Test, version = 1): Promise<RawClient> {
  const client = await rawClient(t, await morayDouble(t));
  await client.call('createBucket', 'b', { index: INDEX, options: { version } }, {});
  return client;
}

test('objects', async (t) => {
  const client = await bucketed(t);

  await t.test(
    'an object has _id, _etag, _mtime; _id is stable across updates, new after delete and re-put',
    async (t) => {
      await client.put('b', 'k', { name: 'x' });
      const first = await client.get('b', 'k');
      t.match(first, { bucket: 'b', key: 'k', value: { name: 'x' }, _id: Number, _etag: /^[0-9A-F]{1,8}$/ });
      t.ok(Math.abs(first._mtime - Date.now()) < 60_000);
      await client.put('b', 'k', { name: 'y' });
      t.equal((await client.get('b', 'k'))._id, first._id);
      await client.call('delObject', 'b', 'k', {});
      await client.put('b', 'k', { name: 'x' });
      t.ok((await client.get('b', 'k'))._id > first._id);
    },
  );

  await t.test('_count on find is the total of SQL matches before LIMIT, absent with no_count', async (t) => {
    for (const key of ['c1', 'c2', 'c3']) await client.put('b', key, { size: 77 });
    const found = await client.find('b', '(size=77)', { limit: 2 });
    t.strictSame(
      found.map(({ _count }) => _count),
      [3, 3],
    );
    t.equal((await client.find('b', '(size=77)', { no_count: true }))[0]?._count, undefined);
  });

  await t.test('etags are content-based: a stale etag is accepted after 1, 2, 1', async (t) => {
    const one = await client.put('b', 'aba', { size: 1 });
    await client.put('b', 'aba', { size: 2 });
    t.equal(await client.put('b', 'aba', { size: 1 }), one);
    await t.resolves(client.put('b', 'aba', { size: 3 }, { etag: one }));
  });

  await t.test('null must not exist, a string must match; the context has what was expected and what is', async (t) => {
    const etag = await client.put('b', 'e', { size: 1 }, { etag: null });
    await t.rejects(client.put('b', 'e', { size: 2 }, { etag: null }), {
      name: 'EtagConflictError',
      context: { bucket: 'b', key: 'e', expected: 'null', actual: etag },
    });
    await t.rejects(client.put('b', 'e', { size: 2 }, { etag: 'ABCD' }), {
      name: 'EtagConflictError',
      context: { expected: 'ABCD', actual: etag },
    });
    await t.rejects(client.put('b', 'nobody', {}, { etag: 'ABCD' }), {
      name: 'EtagConflictError',
      context: { actual: 'null' },
    });
    await t.resolves(client.put('b', 'e', { size: 2 }), 'undefined is a blind write');
  });

  await t.test(
    'delObject ignores etag null, heeds a string, and of an absent key is ObjectNotFoundError',
    async (t) => {
      await client.put('b', 'd', { size: 1 });
      await t.rejects(client.call('delObject', 'b', 'd', { etag: 'ABCD' }), { name: 'EtagConflictError' });
      await t.resolves(client.call('delObject', 'b', 'd', { etag: null }));
      await t.rejects(client.call('delObject', 'b', 'd', {}), { name: 'ObjectNotFoundError', context: { key: 'd' } });
      await t.rejects(client.get('b', 'd'), { name: 'ObjectNotFoundError' });
      await t.rejects(client.get('nowhere', 'd'), { name: 'BucketNotFoundError' });
    },
  );

  await t.test('unique allows many nulls, and names the attribute', async (t) => {
    await client.put('b', 'u1', { code: 'x' });
    await client.put('b', 'u2', {});
    await client.put('b', 'u3', {});
    await t.rejects(client.put('b', 'u3', { code: 'x' }), {
      name: 'UniqueAttributeError',
      context: { attribute: 'code', value: 'x' },
    });
  });

  await t.test(
    'keys up to 2704 bytes, indexed values 8191; empty key rejected; NUL in an indexed string',
    async (t) => {
      await t.resolves(client.put('b', 'k'.repeat(2704), {}));
      await t.rejects(client.put('b', 'k'.repeat(2705), {}), { name: 'error' });
      await t.resolves(client.put('b', 'long', { name: 'n'.repeat(8191) }));
      await t.rejects(client.put('b', 'long', { name: 'n'.repeat(8192) }), { name: 'error', message: /index row/ });
      await t.rejects(client.put('b', '', {}), { name: 'InvocationError' });
      await t.rejects(client.put('b', 'nul', { name: 'a\0b' }), { name: 'error' });
      await t.resolves(client.put('b', 'nul', { note: 'a\0b' }), 'where it is not indexed');
      t.strictSame((await client.get('b', 'nul')).value, { note: 'a\0b' });
      await t.resolves(client.put('b', 'big', { note: 'x'.repeat(16 * 1024 * 1024) }), 'a 16 MB value works');
    },
  );
});

test('indexed columns overwrite the JSON on read', async (t) => {
  const client = await bucketed(t);
  const read = async (value: object): Promise<Record<string, unknown>> => {
    await client.put('b', 'k', value);
    return (await client.get('b', 'k')).value;
  };
  t.strictSame(await read({ name: 123 }), { name: '123' });
  t.strictSame(await read({ name: {} }), { name: '[object Object]' });
  t.strictSame(await read({ open: 'true' }), { open: true });
  await t.rejects(read({ open: 1 }), { name: 'InvalidIndexTypeError' });
  t.strictSame(await read({ size: 'x' }), {}, 'number index "x" is null');
  t.strictSame(await read({ size: 2.5 }), { size: 2.5 });
  t.strictSame(await read({ name: null }), { name: null });
  t.strictSame(await read({ day: '2026-01-02T03:04:05Z' }), { day: '2026-01-02T03:04:05.000Z' });
  await t.rejects(read({ day: '2026-01-02T03:04:05+01:00' }), { name: 'InvalidIndexTypeError' }, 'needs Z');

  await t.test('[string] hazards', async (t) => {
    const tags = async (value: unknown): Promise<unknown> => (await read({ tags: value }))['tags'];
    t.strictSame(await tags('foo'), ['foo']);
    t.strictSame(await tags(['']), []);
    t.strictSame(await tags(['null', 'NULL', 'nullx']), [null, null, 'nullx']);
    t.strictSame(await tags([' a ', 'b\n']), ['a', 'b']);
    t.strictSame(await tags([' a, ', '{', 'q"', 'b\\c']), [' a, ', '{', 'q"', 'b\\c']);
    await t.rejects(tags(['a', '']), { name: 'error', message: /malformed array literal/ });
  });
});

test('find', async (t) => {
  const client = await bucketed(t);
  await client.put('b', 'a', { name: 'base', size: 1, open: true, tags: ['x', 'y'], note: 'n' });
  await client.put('b', 'b', { name: 'b\\ase', size: 2, tags: [] });
  await client.put('b', 'c', { name: 'ba%e', note: 'n' });
  await client.put('b', 'd', {});
  const keys = (filter: string, options?: object): Promise<string> => client.keys('b', filter, options);

  await t.test(
    'an unindexed field in AND is post-filtered, in OR NotIndexedError, alone InvalidQueryError',
    async (t) => {
      t.equal(await keys('(&(_id>=0)(note=n))'), 'ac');
      await t.rejects(keys('(|(name=base)(note=n))'), { name: 'NotIndexedError' });
      await t.rejects(keys('(note=n)'), { name: 'InvalidQueryError' });
      await t.rejects(keys('(&(_id>=0)(note=n))', { requireIndexes: true }), { name: 'NotIndexedError' });
    },
  );

  await t.test('SQL filters, then LIMIT, then JS filters again: fewer rows than the limit', async (t) => {
    const options = { limit: 2, sort: { attribute: '_key', order: 'DESC' } };
    t.equal(await keys('(&(_id>=0)(note=n))', options), 'c', 'an unindexed term');
    const found = await client.find('b', '(name=*%*)');
    t.strictSame(
      found.map(({ key, _count }) => [key, _count]),
      [['c', 3]],
      '% in a substring',
    );
  });

  await t.test('a backslash in a substring finds less than it should', async (t) => {
    t.equal(await keys('(name=*\\\\*)'), '');
  });

  await t.test('negation includes absent fields, but of an array it does not', async (t) => {
    t.equal(await keys('(!(name=base))'), 'bcd');
    t.equal(await keys('(!(size>=2))'), 'acd');
    t.equal(await keys('(!(tags=x))'), 'b');
    t.equal(await keys('(|(!(tags=x))(!(tags=*)))'), 'bcd');
  });

  await t.test('(_key=*) is invalid; (_id>=0) is everything; ~= is rejected', async (t) => {
    await t.rejects(keys('(_key=*)'), { name: 'InvalidQueryError' });
    t.equal(await keys('(_id>=0)'), 'abcd');
    await t.rejects(keys('(name~=base)'), { name: 'InvalidQueryError' });
    t.equal(await keys('(|(_key=a)(_key=d))'), 'ad');
  });

  await t.test('array index: equality is contains; (tags=*) matches []; a substring is NotIndexedError', async (t) => {
    t.equal(await keys('(tags=y)'), 'a');
    t.equal(await keys('(tags=*)'), 'ab');
    await t.rejects(keys('(tags=x*)'), { name: 'NotIndexedError' });
  });

  await t.test(
    'sort: ASC nulls last, DESC nulls first; byte collation; indexed or internal columns only',
    async (t) => {
      const order = async (...sort: object[]): Promise<string> =>
        (await client.find('b', '(_id>=0)', { sort })).map(({ key }) => key).join('');
      t.equal((await order({ attribute: 'size', order: 'ASC' })).slice(0, 2), 'ab');
      t.equal((await order({ attribute: 'size', order: 'DESC' })).slice(2), 'ba');
      t.equal(await order({ attribute: 'size', order: 'ASC' }, { attribute: '_key', order: 'ASC' }), 'abcd');
      t.equal(await order({ attribute: 'name', order: 'ASC' }), 'bcad');
      await t.rejects(order({ attribute: 'note' }), { name: 'error' });
      await t.rejects(order({ attribute: 'name', order: 'ASC; drop' }), { name: 'InternalError' });
    },
  );
});

test('default limit 1000, limit 0 is 1000 too; above 1000 is honoured; noLimit works', async (t) => {
  const client = await bucketed(t);
  const operations = Array.from({ length: 1500 }, (_, i) => ({ bucket: 'b', key: `k${i}`, value: { size: 1 } }));
  await client.call('batch', operations, {});
  const length = async (options: object): Promise<number> => (await client.find('b', '(size=1)', options)).length;
  t.equal(await length({}), 1000);
  t.equal(await length({ limit: 0 }), 1000);
  t.equal(await length({ limit: 1400 }), 1400);
  t.equal(await length({ noLimit: true }), 1500);

  await t.test('updateObjects and deleteMany share the limit', async (t) => {
    t.match(await client.call('updateObjects', 'b', { size: 2 }, '(size=1)', {}), { count: 1000 });
    t.match(await client.call('deleteMany', 'b', '(size=2)', {}), { count: 1000 });
    t.match(await client.call('deleteMany', 'b', '(size=2)', {}), { count: 0 });
  });

  await t.test(
    'updateObjects changes columns, not the stored JSON, gives all rows one etag, rejects null',
    async (t) => {
      await client.call('updateObjects', 'b', { name: 'n' }, '(size=1)', { limit: 2 });
      const [one, other] = await client.find('b', '(name=n)');
      t.match(one?.value, { name: 'n' });
      t.equal(one?._etag, other?._etag);
      await t.rejects(client.call('updateObjects', 'b', { name: null }, '(size=1)', {}), { name: 'NotNullableError' });
      await t.rejects(client.call('updateObjects', 'b', {}, '(size=1)', {}), { name: 'FieldUpdateError' });
      await t.rejects(client.call('updateObjects', 'b', { note: 1 }, '(size=1)', {}), { name: 'NotIndexedError' });
      await t.rejects(client.call('deleteMany', 'b', '(note=1)', {}), { name: 'NotIndexedError' });
    },
  );
});

test('batch is atomic, answers etags; the condition goes in each op’s options', async (t) => {
  const client = await bucketed(t);
  const etag = await client.put('b', 'old', { size: 1 });
  const answer = await client.call(
    'batch',
    [
      { bucket: 'b', key: 'new', value: { size: 2 }, options: { etag: null } },
      { bucket: 'b', operation: 'delete', key: 'old', options: { etag } },
      { bucket: 'b', operation: 'deleteMany', filter: '(_key=nobody)' },
    ],
    {},
  );
  t.match(answer, {
    etags: [{ bucket: 'b', key: 'new', etag: /^[0-9A-F]+$/ }, { key: 'old' }, { filter: '(_key=nobody)', count: 0 }],
  });
  const failing = [
    { bucket: 'b', key: 'third', value: {} },
    { bucket: 'b', key: 'new', value: {}, options: { etag } },
  ];
  await t.rejects(client.call('batch', failing, {}), { name: 'EtagConflictError', context: { key: 'new' } });
  await t.rejects(client.get('b', 'third'), { name: 'ObjectNotFoundError' });
  t.strictSame((await client.get('b', 'new')).value, { size: 2 });
});

test('buckets and reindexing', async (t) => {
  const added = { ...INDEX, note: { type: 'string' } };

  await t.test(
    'version N > 0 plus new indexes: reindex_active is set, reads stay correct until processed: 0',
    async (t) => {
      const client = await bucketed(t);
      await client.put('b', 'k', { name: 'x', note: 'n' });
      await client.call('updateBucket', 'b', { index: added, options: { version: 2 } }, {});
      t.match(await client.call('getBucket', 'b', {}), { options: { version: 2 }, reindex_active: { 2: ['note'] } });
      t.strictSame((await client.get('b', 'k')).value, { name: 'x', note: 'n' });
      await t.rejects(client.keys('b', '(note=n)'), { name: 'InvalidQueryError' });
      t.equal(await client.keys('b', '(&(name=x)(note=n))'), 'k', 'by JavaScript');
      t.strictSame(await client.call('reindexObjects', 'b', 10, {}), { processed: 1 });
      t.strictSame(await client.call('reindexObjects', 'b', 10, {}), { processed: 0 });
      t.match(await client.call('getBucket', 'b', {}), { reindex_active: {} });
      await t.rejects(
        client.keys('b', '(note=n)'),
        { name: 'InvalidQueryError' },
        'the cache does not know it is over',
      );
      t.equal(await client.keys('b', '(note=n)', { noBucketCache: true }), 'k');
      t.equal(await client.keys('b', '(note=n)'), 'k');
    },
  );

  await t.test(
    'version 0 plus an added index: the field vanishes from reads of old rows; reindex does nothing',
    async (t) => {
      const client = await bucketed(t, 0);
      await client.put('b', 'k', { name: 'x', note: 'n' });
      await client.call('updateBucket', 'b', { index: added, options: { version: 0 } }, {});
      t.strictSame((await client.get('b', 'k')).value, { name: 'x' });
      t.strictSame(await client.call('reindexObjects', 'b', 10, {}), { processed: 0 });
      t.equal(await client.keys('b', '(note=n)'), '');
    },
  );

  await t.test("changing an index's type leaves the column unchanged; finds silently return nothing", async (t) => {
    const client = await bucketed(t);
    await client.put('b', 'k', { name: '5' });
    const index = { ...INDEX, name: { type: 'number' } };
    await client.call('updateBucket', 'b', { index, options: { version: 2 } }, {});
    t.equal(await client.keys('b', '(name=5)'), '');
  });

  await t.test(
    'a version that is not higher is BucketVersionError; a bucket made twice BucketConflictError',
    async (t) => {
      const client = await bucketed(t);
      const config = { index: INDEX, options: { version: 1 } };
      await t.rejects(client.call('updateBucket', 'b', config, {}), { name: 'BucketVersionError' });
      await t.rejects(client.call('createBucket', 'b', config, {}), { name: 'BucketConflictError' });
      await t.rejects(client.call('createBucket', '1b', config, {}), { name: 'InvalidBucketNameError' });
      const faulty = { index: { _key: { type: 'string' } } };
      await t.rejects(client.call('createBucket', 'c', faulty, {}), { name: 'InvalidBucketConfigError' });
      const reserved = { index: { order: { type: 'string' } } };
      await t.rejects(client.call('createBucket', 'c', reserved, {}), { name: 'error' }, 'names are pasted into SQL');
      t.match(await client.call('listBuckets', {}), [{ name: 'b' }]);
      await client.call('delBucket', 'b', {});
      await t.rejects(client.call('getBucket', 'b', {}), { name: 'BucketNotFoundError' });
    },
  );

  await t.test(
    'bucket config is cached 300 s by each server; what it writes then is lost after reindexing',
    async (t) => {
      const one = await morayDouble(t);
      const other = await morayDouble(t, one.storage);
      const [client, stale] = [await rawClient(t, one), await rawClient(t, other)];
      const update = (version: number): Promise<unknown> =>
        client.call('updateBucket', 'b', { index: added, options: { version } }, {});
      await client.call('createBucket', 'b', { index: INDEX, options: { version: 1 } }, {});
      t.equal(await stale.keys('b', '(name=x)'), '');
      await update(2);
      await stale.put('b', 'early', { note: 'n' });
      t.strictSame((await client.get('b', 'early')).value, { note: 'n' }, 'while reindexing the JSON counts');
      t.strictSame(await client.call('reindexObjects', 'b', 10, {}), { processed: 1 });
      t.strictSame(await client.call('reindexObjects', 'b', 10, {}), { processed: 0 });
      await stale.put('b', 'late', { note: 'n' });
      await t.rejects(stale.keys('b', '(note=n)'), { name: 'InvalidQueryError' });
      t.equal(await stale.keys('b', '(note=n)', { noBucketCache: true }), 'early');
      t.strictSame((await stale.get('b', 'late')).value, {}, 'it did not fill the new index, which counts now');
      await update(3);
      t.strictSame(await client.call('reindexObjects', 'b', 10, {}), { processed: 2 });
      t.notMatch(one.storage.row('b', 'late')?.json, /note/, 'reindexing once more makes it final');
    },
  );
});

test('outages', async (t) => {
  const server = await morayDouble(t);
  const client = await rawClient(t, server);
  await client.call('createBucket', 'b', { index: INDEX, options: { version: 1 } }, {});

  await t.test(
    'an in-flight request gets a protocol error, and with the server down NoBackendsError at once',
    async (t) => {
      server.trouble = { kind: 'hang' };
      const calls = server.calls.length;
      const failed = t.rejects(client.get('b', 'k'), { name: /^Fast/ });
      await waitFor('the call', () => server.calls.length > calls);
      await server.stop();
      await failed;
      await t.rejects(client.get('b', 'k'), { name: 'NoBackendsError' });
      await t.rejects(client.find('b', '(_id>=0)'), { message: 'no active connections' });
    },
  );

  await t.test("the client reconnects by itself within 1.5 s of the server's return", async (t) => {
    server.trouble = { kind: 'none' };
    await server.start();
    const put = (): Promise<boolean> =>
      client.put('b', 'k', { size: 1 }).then(
        () => true,
        () => false,
      );
    await waitFor('an answer', put);
    t.strictSame((await client.get('b', 'k')).value, { size: 1 });
  });

  await t.test('it fails, answers slowly, and cuts a connection after the deed, as it is told', async (t) => {
    server.trouble = { kind: 'fail', error: new Error('no'), methods: ['putObject'] };
    await t.rejects(client.put('b', 'k', {}), { message: 'no' });
    server.trouble = { kind: 'slow', ms: 100 };
    const start = performance.now();
    await client.get('b', 'k');
    t.ok(performance.now() - start > 90);
    server.trouble = { kind: 'cut-after', methods: ['putObject'] };
    await t.rejects(client.put('b', 'after', {}));
    t.ok(server.storage.row('b', 'after'));
  });
});
