import { join } from 'node:path';
import { type Test, test } from 'tap';
import { expireJobs } from '#lib/documents/expire-jobs.ts';
import { type ClaimedJob, type Job, type JobKind, JobRunner } from '#lib/documents/job-runner.ts';
import { LeaseLostError, newLease } from '#lib/documents/lease.ts';
import { openSqliteStore } from '#lib/documents/sqlite/store.ts';
import type { Bucket, Store } from '#lib/documents/store.ts';
import { unlessChanged, updateObject } from '#lib/documents/update.ts';
import { temporaryFolder } from '../../helpers/imgapi.ts';
import { waitFor } from '../../helpers/wait.ts';

interface Work extends Job {
  readonly finished_at?: string;
  readonly rev: number;
}

const WORK: Bucket<Work> = {
  name: 'work',
  version: 1,
  index: { live: { type: 'boolean' }, finished_at: { type: 'string' } },
};

async function open(t: Test, ...uuids: readonly string[]): Promise<Store> {
  const store = await openSqliteStore({ path: join(await temporaryFolder(t), 'documents.db') });
  t.teardown(() => store.close());
  await store.open([WORK]);
  for (const uuid of uuids) {
    await store.batch([{ op: 'put', bucket: WORK, key: uuid, value: { uuid, live: true, rev: 0 }, ifEtag: null }]);
  }
  return store;
}

/** Runs jobs in the name of a process. */
function runner(
  t: Test,
  store: Store,
  worker: string,
  carryOut: (job: Work, signal: AbortSignal) => Promise<void>,
  kind: Partial<JobKind<Work>> = {},
) {
  const broken: unknown[] = [];
  const claimed = ({ uuid, ...rest }: Work): ClaimedJob => ({
    carryOut: (signal) => carryOut({ uuid, ...rest }, signal),
    async release() {
      await updateObject(store, WORK, uuid, ({ lease: _, ...job }) => ({ ...job, rev: job.rev + 1 }));
    },
  });
  const jobs = new JobRunner<Work>(
    { store },
    {
      bucket: WORK,
      most: 10,
      async claim({ key, value, etag }) {
        const held = { ...value, lease: newLease(worker, 3600, store.now()), rev: value.rev + 1 };
        const write = store.batch([{ op: 'put', bucket: WORK, key, value: held, ifEtag: etag }]);
        return (await unlessChanged(write)) ? claimed(held) : undefined;
      },
      onFailed: (error) => t.fail(String(error)),
      onBroken: (error) => broken.push(error),
      ...kind,
    },
  );
  t.teardown(() => jobs.stop());
  return { jobs, broken };
}

async function end(store: Store, { uuid }: Work): Promise<void> {
  const finished_at = new Date(store.now()).toISOString();
  await updateObject(store, WORK, uuid, (job) => ({ ...job, live: false, finished_at, rev: job.rev + 1 }));
}

const isOver = async (store: Store, uuid: string) => (await store.get(WORK, uuid))?.value.live === false;

test('each job runs in one process, what breaks off goes on, and jobs that ended are removed later', async (t) => {
  const store = await open(t, 'a', 'b');
  const runs: string[] = [];
  const carryOut = async (job: Work) => {
    runs.push(job.uuid);
    if (job.uuid === 'b' && runs.filter((uuid) => uuid === 'b').length === 1) throw new Error('the network is down');
    await end(store, job);
  };
  const [one, other] = [runner(t, store, 'one', carryOut), runner(t, store, 'other', carryOut)];
  await waitFor('both', async () => {
    other.jobs.nudge();
    return (await isOver(store, 'a')) && (await isOver(store, 'b'));
  });
  await Promise.all([one.jobs.stop(), other.jobs.stop()]);
  t.same(runs.toSorted(), ['a', 'b', 'b']);
  t.match([...one.broken, ...other.broken], [{ message: 'the network is down' }]);
  t.equal(await expireJobs({ store }, WORK, 3600), 0);
  await waitFor('both to be old enough', async () => {
    await expireJobs({ store }, WORK, 0);
    return !(await store.get(WORK, 'a')) && !(await store.get(WORK, 'b'));
  });
});

test('a process that stops gives its jobs back; a lost lease is no failure', async (t) => {
  const store = await open(t, 'a');
  const stopped = Promise.withResolvers<void>();
  const first = runner(t, store, 'one', (_job, signal) => {
    stopped.resolve();
    return new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
    });
  });
  await stopped.promise;
  await first.jobs.stop();
  t.same(first.broken, []);
  t.equal((await store.get(WORK, 'a'))?.value.lease, undefined);
  let tries = 0;
  const next = runner(t, store, 'other', async (job) => {
    tries += 1;
    if (tries === 1) throw new LeaseLostError('another process has it');
    await end(store, job);
  });
  await waitFor('the end', async () => {
    next.jobs.nudge();
    return isOver(store, 'a');
  });
  t.same(next.broken, []);
});

test('what is not due beside others waits for its turn', async (t) => {
  const store = await open(t, 'a', 'b', 'c');
  let most = 0;
  const isDue = (_job: Work, running: readonly Work[]) => {
    most = Math.max(most, running.length);
    return running.length < 1;
  };
  const { jobs } = runner(t, store, 'one', (job) => end(store, job), { isDue });
  await waitFor('all', async () => {
    jobs.nudge();
    return (await isOver(store, 'a')) && (await isOver(store, 'b')) && (await isOver(store, 'c'));
  });
  t.equal(most, 1);
});
