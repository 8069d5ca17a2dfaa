/** What runs in the background meets any number of documents, and gathers none of them: it goes through them. */

import { randomUUID } from 'node:crypto';
import { type Test, test } from 'tap';
import { GuardedStore } from '#lib/documents/guarded-store.ts';
import type { Bucket } from '#lib/documents/store.ts';
import { IMAGES, type ImageRecord } from '#lib/manifest/record.ts';
import { BUCKETS } from '#src/buckets.ts';
import { COPIES, TRANSFERS, type Transfer } from '#src/copies/documents/model.ts';
import { sessionOf } from '#src/copies/documents/staging.ts';
import { CLONES } from '#src/images/cloning/clone-journal.ts';
import { UPLOADS } from '#src/images/files/upload-register.ts';
import { PENDING_SHARES } from '#src/images/sharing/shares.ts';
import { cleanUp } from '#src/maintenance/clean-up.ts';
import { serviceTasks } from '#src/maintenance/tasks/table.ts';
import { PULL_LINKS } from '#src/pulls/documents.ts';
import type { Service } from '#src/service/service.ts';
import { ALICE } from '../../helpers/accounts.ts';
import { startDatacenter } from '../../helpers/datacenter.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { waitFor } from '../../helpers/wait.ts';
import { refusal } from '../images/fixture.ts';
import { imageRecord, putRecords } from '../imgapi/fixtures/records.ts';

const MANY = 150;
/** What may be read at once without a limit being set. */
const FEW = 100;
const LONG_AGO = '2020-01-02T03:04:05.678Z';

/** Names of the buckets of which more than a few documents were gathered by a query without a limit. */
function gathered(t: Test): string[] {
  const names: string[] = [];
  const { find } = GuardedStore.prototype;
  t.teardown(() => {
    GuardedStore.prototype.find = find;
  });
  GuardedStore.prototype.find = async function (this: GuardedStore, ...args: Parameters<GuardedStore['find']>) {
    const found = await find.apply(this, args);
    const [{ name }, { limit }] = args;
    if (found.length > FEW && limit === undefined) names.push(name);
    return found;
  } as typeof find;
  return names;
}

async function put(
  { store }: Service,
  bucket: Bucket,
  make: (key: string) => object,
  keys = fresh(),
): Promise<string[]> {
  await store.batch(keys.map((key) => ({ op: 'put', bucket, key, value: make(key) })));
  return keys;
}

function fresh(count = MANY): string[] {
  return Array.from({ length: count }, () => randomUUID());
}

const NEVER = { count: 0, not_before: 0, last_byte_at: 0, bad_hashes: 0, peak: 0 };

function failedTransfer(image: string): Transfer {
  return {
    ...{ image, id: randomUUID(), source: 'elsewhere', state: 'failed', live: false, orders: [], stor: 'local' },
    ...{ sha1: 'a'.repeat(40), compression: 'none', icon: false, total: 10, bytes: 5, attempt: 1, retry: NEVER },
    ...{ created_at: LONG_AGO, ended_at: LONG_AGO, rev: 1 },
  };
}

function finishedOrder(uuid: string): object {
  return {
    ...{ uuid, kind: 'copy-from-dc', account: ALICE, image: uuid, source: 'elsewhere', state: 'failed', live: false },
    ...{ members: [], images: [uuid], created_at: LONG_AGO, finished_at: LONG_AGO, rev: 1 },
  };
}

function oldLink(reqid: string): object {
  return {
    ...{ reqid, uuid: randomUUID(), index: 0, datacenter: 'elsewhere', stor: 'local', path: 'none', day: '20200101' },
    ...{ direct: true, size: 1, sha1: 'a'.repeat(40), created_at: LONG_AGO, expires: LONG_AGO, rev: 1 },
  };
}

test('however many documents there are, the tasks go through all of them, and gather none', async (t) => {
  // With no tasks of its own.
  const { service } = await startDatacenter(t, 'us-west-1');
  const { store } = service;
  await store.open(BUCKETS);
  const now = store.now();
  const transfers = await put(service, TRANSFERS, failedTransfer);
  await put(service, COPIES, finishedOrder);
  await put(service, PULL_LINKS, oldLink);
  await put(service, UPLOADS, (image) => ({ image, worker: 'dead', until: now - 1 }));
  const [alive = ''] = await put(service, UPLOADS, (image) => ({ image, worker: 'x', until: now + 60_000 }), ['alive']);
  await put(service, CLONES, (image) => ({ images: [image], until: now - 1, undone: true, rev: 1 }));
  await put(service, PENDING_SHARES, () => ({ until: now - 1 }));
  const records = fresh().map((uuid) =>
    imageRecord('creating', { uuid, expires_at: String(now - 1) } as Partial<ImageRecord>),
  );
  await putRecords(service, records);
  // Staging that the last of the transfers and a live upload need, and some that nobody does.
  const needed = [sessionOf((await store.get(TRANSFERS, transfers.toSorted().at(-1) ?? ''))!.value, 1), alive];
  for (const session of [...needed, 'nobodys']) {
    await (await service.storages.named('local').open({ path: `images/x/${session}`, session })).close();
  }
  // What was staged in this very millisecond is not older than now.
  const staged = store.now();
  await waitFor('the clock to go on', () => store.now() > staged);
  const names = gathered(t);
  const { signal } = new AbortController();
  const plan = await cleanUp(service, { dryRun: true, eager: true, signal });
  t.same(
    plan.staging.sessions.map(({ session }) => session),
    ['nobodys'],
  );
  t.equal(plan.copies.placeholders.length, MANY);
  t.equal(plan.copies.orders.length, MANY);
  t.equal(plan.pulls.links.length, MANY);
  t.equal(await store.count(UPLOADS), 1, 'what died is taken from the register');
  for (const task of serviceTasks(service)) await task.run(signal);
  for (const bucket of [TRANSFERS, COPIES, PULL_LINKS, CLONES, PENDING_SHARES, IMAGES]) {
    t.equal(await store.count(bucket), 0, `${bucket.name} is done with`);
  }
  t.same(names, []);
});

test('an image is kept by a great many that build on it, of which a few are named', async (t) => {
  const server = await startInProcess(t);
  const origin = imageRecord('active');
  const children = fresh().map((uuid) => imageRecord('active', { uuid, origin: origin.uuid }));
  await putRecords(server.imgapi.service, [origin, ...children]);
  const names = gathered(t);
  const { code, message } = await refusal(server.client({ account: ALICE }).deleteImage(origin.uuid));
  t.equal(code, 'ImageHasDependentImages');
  t.match(message, new RegExp(`\\(${MANY} in all\\)$`));
  t.equal(children.filter(({ uuid }) => message.includes(uuid)).length, 5);
  t.same(names, []);
});
