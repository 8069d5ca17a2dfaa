/** The state of a datacenter as metrics: what is counted, how often, and what is answered when it cannot be. */
import { type Test, test } from 'tap';
import { COPIES, type CopyOrder } from '#src/copies/documents/model.ts';
import { DATACENTERS, type LinkRecord } from '#src/datacenters/links/documents.ts';
import { stateMetrics } from '#src/maintenance/metrics/state-metrics.ts';
import { SCRUBS } from '#src/maintenance/scrub/state.ts';
import type { Service } from '#src/service/service.ts';
import { startInProcess } from '../../../helpers/imgapi.ts';
import { said } from '../../../helpers/raw-socket.ts';
import { waitFor } from '../../../helpers/wait.ts';

/** The value of a series, by the label that tells it from others. */
function value(text: string, name: string, label = ''): number | undefined {
  const line = text.split('\n').find((one) => one.startsWith(`${name}{`) && one.includes(label));
  return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(' ')));
}

function order(uuid: string, keys: Partial<CopyOrder>): CopyOrder {
  const created_at = new Date().toISOString();
  return {
    ...{
      uuid,
      kind: 'copy',
      image: uuid,
      source: 'us-east-1',
      state: 'queued',
      live: true,
      members: [],
      images: [uuid],
    },
    ...{ created_at, rev: 1, ...keys },
  } as CopyOrder;
}

async function write(service: Service, orders: readonly CopyOrder[]): Promise<void> {
  await service.store.batch(orders.map((one) => ({ op: 'put', bucket: COPIES, key: one.uuid, value: one })));
}

async function start(t: Test) {
  const server = await startInProcess(t, { metrics: { port: 0 } });
  return { ...server, service: server.imgapi.service };
}

test('copies, links, room and tasks are told of', async (t) => {
  const { service } = await start(t);
  const ago = (ms: number) => new Date(service.store.now() - ms).toISOString();
  const failure = (code: string) => ({ code, message: 'x', at: ago(0) });
  await write(service, [
    // Not before long: the worker would look at them, and settle them.
    order('00000000-0000-4000-8000-000000000002', {
      ...{ state: 'failed', live: false, finished_at: ago(60_000) },
      error: failure('GaveUp') as unknown as NonNullable<CopyOrder['error']>,
    }),
    order('00000000-0000-4000-8000-000000000003', {
      ...{ state: 'failed', live: false, finished_at: ago(7_200_000) },
      error: failure('NotOwner') as unknown as NonNullable<CopyOrder['error']>,
    }),
    order('00000000-0000-4000-8000-000000000004', { state: 'succeeded', live: false, finished_at: ago(60_000) }),
  ]);
  const health = { checked_at: ago(5000), ok: false, clock_skew_seconds: -7, error: 'no answer' };
  const link: Partial<LinkRecord> = { name: 'us-east-1', url: 'http://127.0.0.1:9', keys: [], health, rev: 1 };
  await service.store.batch([{ op: 'put', bucket: DATACENTERS, key: 'us-east-1', value: link }]);
  const text = await stateMetrics(service, { datacenter: 'test-1' })();
  t.equal(value(text, 'imgapi_copies', 'state="failed"'), 2);
  t.equal(value(text, 'imgapi_copies', 'state="succeeded"'), 1);
  t.equal(value(text, 'imgapi_copies', 'state="queued"'), 0, 'also where there are none');
  t.equal(value(text, 'imgapi_copies_failed_last_hour', 'error="GaveUp"'), 1);
  t.equal(value(text, 'imgapi_copies_failed_last_hour', 'error="NotOwner"'), undefined, 'not for ever');
  t.equal(value(text, 'imgapi_link_up', 'link="us-east-1"'), 0);
  t.equal(value(text, 'imgapi_link_clock_skew_seconds', 'link="us-east-1"'), -7);
  t.ok(Math.abs((value(text, 'imgapi_link_checked_timestamp_seconds') ?? 0) * 1000 - Date.now()) < 60_000);
  t.ok((value(text, 'imgapi_store_free_bytes', 'store="local"') ?? 0) > 1e6);
  t.ok(Math.abs((value(text, 'imgapi_state_counted_timestamp_seconds') ?? 0) * 1000 - Date.now()) < 60_000);
  t.equal(value(text, 'imgapi_verify_last_run_timestamp_seconds'), undefined, 'nobody has verified');
  t.match(text, /^imgapi_copies\{state="failed",datacenter="test-1"\} 2$/m);
});

test('the last run of each task is told of', async (t) => {
  const { service, imgapi } = await start(t);
  const ran = await waitFor('a task to have run', async () => {
    const text = await stateMetrics(service, {})();
    return value(text, 'imgapi_task_last_run_timestamp_seconds', 'task="expire-copies"') ? text : undefined;
  });
  t.equal(value(ran, 'imgapi_task_failures', 'task="expire-copies"'), 0);
  t.ok((value(ran, 'imgapi_task_last_run_duration_seconds', 'task="expire-copies"') ?? -1) >= 0);
  t.match(await said(imgapi.metricsUrl ?? '', scrape(imgapi.metricsUrl)), /^imgapi_task_failures\{/m);
});

const scrape = (url = '') => `GET ${new URL(url).pathname} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;

test('damaged files are told of, and the last pass over all files once one has ended', async (t) => {
  const { service } = await start(t);
  const text = () => stateMetrics(service, { datacenter: 'test-1' })();
  const before = await text();
  t.equal(value(before, 'damaged_files'), 0);
  t.equal(value(before, 'imgapi_scrub_last_pass_timestamp_seconds'), undefined);
  const pass = { began_at: 1, ended_at: service.store.now(), files: 3, bytes: 5, bad: 1, skipped: 0 };
  await service.store.batch([{ op: 'put', bucket: SCRUBS, key: 'files', value: { since: 1, rev: 9, last: pass } }]);
  const after = await text();
  t.equal(value(after, 'imgapi_scrub_last_pass_files', 'result="bad"'), 1);
  t.ok((value(after, 'imgapi_scrub_last_pass_timestamp_seconds') ?? 0) > 1e9);
});

/** The service with a store whose counts are in the hands of the test. */
function counting(service: Service, count: () => Promise<number>): Service {
  const store = new Proxy(service.store, {
    get(target, name) {
      if (name === 'count') return count;
      const found: unknown = Reflect.get(target, name, target);
      return typeof found === 'function' ? found.bind(target) : found;
    },
  });
  return { ...service, store };
}

test('however often it is asked for, the state is counted once in a while', async (t) => {
  const { service } = await start(t);
  let counts = 0;
  const text = stateMetrics(
    counting(service, async () => {
      counts += 1;
      return 1;
    }),
    {},
  );
  const texts = await Promise.all(Array.from({ length: 100 }, text));
  const once = counts;
  t.ok(once >= 5 && once < 10, `${once} counts: one for each state, and of the damaged files`);
  t.equal(new Set(texts).size, 1);
  t.equal(await text(), texts[0]);
  t.equal(counts, once);
});

test('a store that never says how much is free is left out, and is not asked again meanwhile', async (t) => {
  const { service } = await start(t);
  let asked = 0;
  const [local] = [...service.storages];
  if (!local) throw new Error('there is no store');
  const dead = Object.create(local, {
    identity: { value: () => local.identity() },
    free: {
      value() {
        asked += 1;
        return new Promise(() => {});
      },
    },
  }) as typeof local;
  const storages = Object.create(service.storages, { [Symbol.iterator]: { value: () => [dead].values() } });
  for (let i = 0; i < 2; i++) {
    const ask = stateMetrics({ ...service, storages }, {});
    const text = await waitFor('the numbers', async () => (await ask()) || undefined);
    t.equal(value(text, 'imgapi_store_free_bytes'), undefined);
    t.equal(value(text, 'imgapi_copies', 'state="queued"'), 0);
  }
  t.equal(asked, 1);
});

test('while the documents hang or fail, metrics are answered all the same', async (t) => {
  const { service } = await start(t);
  t.equal(
    await stateMetrics(
      counting(service, () => new Promise(() => {})),
      {},
    )(),
    '',
    'nothing is known yet',
  );
  const failing = stateMetrics(
    counting(service, () => Promise.reject(new Error('down'))),
    {},
  );
  t.equal(await failing(), '');
});
