/** One of the stores is down: each operation says which kind, writes nothing, and goes on when it is back. */
import { type Test, test } from 'tap';
import { IMGAPI } from '#lib/api/imgapi/operations.ts';
import type { Operation } from '#lib/api/operation.ts';
import { StoreFullError, StoreUnavailableError } from '#lib/documents/errors.ts';
import type { Store } from '#lib/documents/store.ts';
import { ObjectStoreUnavailableError } from '#lib/objects/errors.ts';
import type { ObjectStore } from '#lib/objects/object-store.ts';
import { storesIn } from '../../doubles/stores.ts';
import { ALICE } from '../../helpers/accounts.ts';
import { type InProcess, startInProcess, temporaryFolder } from '../../helpers/imgapi.ts';
import { type Ask, type Asker, asker } from './fixtures/ask.ts';
import { READS, type TestedOperation, WRITES } from './fixtures/image-operations.ts';
import { BYTES, ICON, ICON_RECORD, imageRecord, putObject, putRecords } from './fixtures/records.ts';

const MANIFEST = { name: 'an-image', version: '1.0.0', type: 'other', os: 'other', owner: ALICE };
const OCTETS = { 'content-type': 'application/octet-stream' };

const OBJECT_CALLS = [
  ...['info', 'read', 'hash', 'open', 'adopt', 'openPieces', 'discard', 'sessions', 'link', 'serverCopy', 'list'],
  ...['remove', 'removeTree', 'free', 'signUrl'],
];

interface Down {
  readonly server: InProcess;
  readonly ask: Asker;
  readonly active: string;
  readonly ready: string;
  /** Which calls of the stores fail from now on. */
  fail(...calls: readonly string[]): void;
}

async function start(t: Test): Promise<Down> {
  let failing: ReadonlySet<string> = new Set();
  const failingStore = <T extends object>(store: T, error: () => Error): T =>
    new Proxy(store, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          if (failing.has(String(key))) throw error();
          return value.apply(target, args);
        };
      },
    });
  const objects = (store: ObjectStore) => failingStore(store, () => new ObjectStoreUnavailableError('it is down'));
  const server = await startInProcess(t, {}, { stores: storesIn(await temporaryFolder(t), ['local'], objects) });
  const { service } = server.imgapi;
  failDocuments(service.store, () => failing);
  const [active, ready] = [imageRecord('active', { icon: ICON_RECORD }), imageRecord('unactivated')];
  await putRecords(service, [active, ready]);
  for (const { uuid } of [active, ready]) await putObject(service, uuid, 'file0', BYTES);
  await putObject(service, active.uuid, 'icon', ICON);
  return {
    server,
    ask: asker(t, server.url),
    active: `/images/${active.uuid}`,
    ready: `/images/${ready.uuid}`,
    fail(...calls) {
      failing = new Set(calls);
    },
  };
}

/** All parts of the service have this store, so it is changed in place. */
function failDocuments(store: Store, failing: () => ReadonlySet<string>): void {
  for (const name of ['get', 'getMany', 'find', 'batch'] as const) {
    const call = store[name].bind(store) as (...args: unknown[]) => unknown;
    Object.defineProperty(store, name, {
      value: async (...args: unknown[]) => {
        if (failing().has(`documents.${name}`)) throw new StoreUnavailableError('it is down');
        if (name === 'batch' && failing().has('documents.full')) throw new StoreFullError('it is full');
        return call(...args);
      },
    });
  }
  const kept = store.kept.bind(store) as Store['kept'];
  Object.defineProperty(store, 'kept', {
    value: (...args: Parameters<Store['kept']>) => (failing().has('documents.get') ? undefined : kept(...args)),
  });
  const scan = store.scan.bind(store) as Store['scan'];
  Object.defineProperty(store, 'scan', {
    value: async function* (...args: Parameters<Store['scan']>) {
      if (failing().has('documents.scan')) throw new StoreUnavailableError('it is down');
      yield* scan(...args);
    },
  });
}

type Request = readonly [path: string, ask?: Ask];

test('a document store that is down is a 503 that says so, whether it is read, listed or written', async (t) => {
  const { ask, active, ready, fail } = await start(t);
  const before = (await ask(active)).text;
  const requests: readonly Request[] = [
    [active],
    ['/images'],
    [`${active}/file`],
    [`${active}/icon`],
    ['/images', { method: 'POST', json: MANIFEST }],
    [`${active}?action=update`, { method: 'POST', json: { name: 'x' } }],
    [`${active}?action=disable`, { method: 'POST' }],
    [`${ready}?action=activate`, { method: 'POST' }],
    [`${active}/acl`, { method: 'POST', json: [ALICE] }],
    [`${ready}/file?compression=none`, { method: 'PUT', headers: OCTETS, body: 'data' }],
    [`${active}/icon`, { method: 'DELETE' }],
    [active, { method: 'DELETE' }],
  ];
  for (const [path, request] of requests) {
    fail('documents.get', 'documents.getMany', 'documents.find', 'documents.scan', 'documents.batch');
    const answer = await ask(path, request);
    fail();
    t.match(answer, { status: 503, json: { code: 'ServiceUnavailable' } }, `${request?.method ?? 'GET'} ${path}`);
  }
  for (const [path, request] of requests.filter(([, request]) => request?.method !== undefined)) {
    fail('documents.batch');
    const answer = await ask(path, request);
    fail();
    t.match(answer, { status: 503, json: { code: 'ServiceUnavailable' } }, `${request?.method} ${path}, unwritten`);
  }
  t.equal((await ask(active)).text, before, 'nothing was changed');
  t.equal((await ask(`${ready}/file`)).text, BYTES.toString());
  t.equal((await ask('/images?state=all')).json.length, 2, 'and nothing made');
});

/** Every operation on an image, of one that is active and of one that is not yet, by an operator and by its owner. */
function* everyOperation({ active, ready }: Down): Generator<[name: string, ...Request]> {
  const table = { ...READS, ...WRITES };
  for (const [name, tested] of Object.entries(table) as [keyof typeof table, TestedOperation][]) {
    const { path, method, action }: Operation = IMGAPI[name];
    const { query = '', headers, body, json } = tested;
    const image = { state: 'active', public: false, shared: false } as const;
    const sent = json ? { json: json({ caller: 'owner', image, version: '~3' }) } : body === undefined ? {} : { body };
    const ask: Ask = { method, headers: { ...headers, 'accept-version': '~3' }, ...sent };
    for (const at of [active, ready]) {
      for (const account of ['', `account=${ALICE}`]) {
        const asked = [action === undefined ? '' : `action=${action}`, query, account].filter((part) => part !== '');
        yield [name, `${path.replace('/images/:uuid', at)}?${asked.join('&')}`, ask];
      }
    }
  }
}

// What a row does not name fails these by itself.
test('a document store that is full is a 507, whatever was to be written', async (t) => {
  const down = await start(t);
  const before = (await down.ask(down.active)).text;
  down.fail('documents.full');
  const full = new Set<string>();
  for (const [name, path, request] of everyOperation(down)) {
    if ((await down.ask(path, request)).json?.code === 'InsufficientStorage') full.add(name);
  }
  down.fail();
  t.ok(full.size > 10, [...full].join(', '));
  t.equal((await down.ask(down.active)).text, before, 'nothing was changed');
});

test('an object store that does nothing at all is a 503, whatever was to be done with it', async (t) => {
  const down = await start(t);
  down.fail(...OBJECT_CALLS);
  const failed = new Set<string>();
  for (const [name, path, request] of everyOperation(down)) {
    if ((await down.ask(path, request)).json?.code === 'StorageIsDown') failed.add(name);
  }
  t.ok(failed.size > 5, [...failed].join(', '));
});

test('an object store that is down is a 503 of its own; manifests are there all the same', async (t) => {
  const { ask, active, ready, fail, server } = await start(t);
  const requests: readonly (readonly [failing: string, ...Request])[] = [
    ['info', `${active}/file`],
    ['read', `${active}/file`],
    ['read', `${active}/icon`],
    ['open', `${ready}/file?compression=none`, { method: 'PUT', headers: OCTETS, body: 'data' }],
    ['open', `${active}/icon`, { method: 'PUT', headers: { 'content-type': 'image/png' }, body: 'icon' }],
    ['remove', `${active}/icon`, { method: 'DELETE' }],
  ];
  for (const [failing, path, request] of requests) {
    fail(failing);
    const answer = await ask(path, request);
    t.match(
      answer,
      { status: 503, json: { code: 'StorageIsDown' } },
      `${failing}: ${request?.method ?? 'GET'} ${path}`,
    );
    t.equal((await ask(active)).status, 200);
    fail();
  }
  t.equal((await ask(`${active}/file`)).text, BYTES.toString());
  t.equal((await ask(`${ready}/file`)).text, BYTES.toString(), 'the file that was there stays');
  fail('removeTree');
  t.equal((await ask(active, { method: 'DELETE' })).status, 204, 'what is deleted is gone, its bytes go later');
  t.equal((await ask(active)).status, 404);
  fail();
  t.strictSame(await server.imgapi.service.storages.named('local').sessions(), []);
});
