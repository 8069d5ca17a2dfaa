/** One task, several processes on one database: one of them runs it at a time, whatever becomes of the others. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Test, test } from 'tap';
import { openMorayStore } from '#lib/documents/moray/store.ts';
import { openSqliteStore } from '#lib/documents/sqlite/store.ts';
import type { Store } from '#lib/documents/store.ts';
import { taskStatuses } from '#src/maintenance/tasks/status.ts';
import { TASKS } from '#src/maintenance/tasks/task.ts';
import { MorayDouble } from '../../../doubles/moray/server.ts';
import { temporaryFolder } from '../../../helpers/imgapi.ts';
import { waitFor } from '../../../helpers/wait.ts';

const PROGRAM = new URL('fixtures/runner-process.ts', import.meta.url).pathname;
const CLOCK_AHEAD = new URL('../../../helpers/clock-ahead.ts', import.meta.url).href;
/** Nobody waits for the end of such a lease. */
const LONG = 3600;
const PERIOD_MS = 1000;
/** As in `runner.ts`: what is due so soon is claimed at once. */
const CLAIMED_AHEAD_MS = 200;

interface Told {
  readonly event: 'started' | 'began' | 'ended';
  readonly worker: string;
  /** By the database's clock. */
  readonly at: number;
  /** Why the run had to end. */
  readonly aborted?: string;
}

/** The processes of a datacenter, and all that they tell, as it arrives. */
class Datacenter {
  readonly told: Told[] = [];
  readonly #t: Test;
  /** As the program takes it. */
  readonly #database: string;
  readonly #open: () => Promise<Store>;
  readonly #children = new Map<string, ChildProcess>();

  constructor(t: Test, database: string, open: () => Promise<Store>) {
    this.#t = t;
    this.#database = database;
    this.#open = open;
  }

  /** @param ahead milliseconds that the process's own clock is ahead of the database's */
  async start(worker: string, leaseSeconds = LONG, ahead = 0, periodMs = 100): Promise<void> {
    const clock = ahead === 0 ? [] : ['--import', CLOCK_AHEAD];
    const child = spawn(
      '/usr/bin/env',
      [
        '-u',
        'NODE_OPTIONS',
        process.execPath,
        ...clock,
        PROGRAM,
        this.#database,
        worker,
        String(leaseSeconds),
        String(periodMs),
      ],
      {
        stdio: ['pipe', 'pipe', 'inherit'],
        env: { ...process.env, TEST_CLOCK_AHEAD: String(ahead), TEST_CLOCK_LATER: '0' },
      },
    );
    this.#children.set(worker, child);
    this.#t.teardown(() => this.kill(worker));
    createInterface({ input: child.stdout }).on('line', (line) => this.told.push(JSON.parse(line)));
    await this.tells('started', 1, worker);
  }

  say(worker: string, word: 'end' | 'fail' | 'sleep' | 'leave'): void {
    this.#children.get(worker)?.stdin?.write(`${word}\n`);
  }

  signal(worker: string, signal: NodeJS.Signals): void {
    this.#children.get(worker)?.kill(signal);
  }

  /** Stops it as a service is stopped. */
  async leaves(worker: string): Promise<void> {
    const child = this.#children.get(worker);
    this.say(worker, 'leave');
    if (child) await once(child, 'exit');
  }

  async kill(worker: string): Promise<void> {
    const child = this.#children.get(worker);
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  /** The nth, counted from 1, of what any process tells, or the one that is named. */
  tells(event: Told['event'], n = 1, worker?: string): Promise<Told> {
    const isWanted = (one: Told) => one.event === event && (worker === undefined || one.worker === worker);
    return waitFor(`${worker ?? 'somebody'} to have ${event}`, () => this.told.filter(isWanted)[n - 1]);
  }

  /** The document, as any process of the datacenter reads it. */
  async status() {
    const store = await this.#open();
    try {
      await store.open([TASKS]);
      const task = { name: 'work', what: 'does what it is told', periodMs: 100, run: async () => undefined };
      const [status] = await taskStatuses(store, [task]);
      return status;
    } finally {
      await store.close();
    }
  }
}

const ENGINES = ['SQLite', 'Moray'] as const;

async function datacenter(t: Test, engine: (typeof ENGINES)[number]): Promise<Datacenter> {
  if (engine === 'Moray') {
    const server = await new MorayDouble().start();
    t.teardown(() => server.stop());
    return new Datacenter(t, String(server.port), () => openMorayStore({ host: '127.0.0.1', port: server.port }));
  }
  const path = join(await temporaryFolder(t), 'test.db');
  return new Datacenter(t, path, () => openSqliteStore({ path }));
}

for (const engine of ENGINES) {
  test(`${engine}: of three processes one runs a task at a time`, async (t) => {
    const dc = await datacenter(t, engine);
    await Promise.all(['a', 'b', 'c'].map((worker) => dc.start(worker)));
    let before = 0;
    for (let n = 1; n <= 8; n += 1) {
      const { worker, at } = await dc.tells('began', n);
      t.ok(at >= before, 'none begins before the one before it has ended');
      t.match(await dc.status(), { state: 'running', holder: { worker } });
      dc.say(worker, 'end');
      before = (await dc.tells('ended', n)).at;
    }
    const count = (event: Told['event']) => dc.told.filter((one) => one.event === event).length;
    t.ok(count('began') - count('ended') <= 1);
  });

  test(`${engine}: four processes run a task once a period, not once each`, async (t) => {
    const dc = await datacenter(t, engine);
    const workers = ['a', 'b', 'c', 'd'];
    await Promise.all(workers.map((worker) => dc.start(worker, LONG, 0, PERIOD_MS)));
    let before = Number.NEGATIVE_INFINITY;
    for (let n = 1; n <= 12; n += 1) {
      const { worker, at } = await dc.tells('began', n);
      // Each process that starts has the task run once more.
      if (n > workers.length) t.ok(at >= before + PERIOD_MS - CLAIMED_AHEAD_MS, `run ${n} waited for its period`);
      dc.say(worker, 'end');
      before = (await dc.tells('ended', n)).at;
    }
  });

  test(`${engine}: how a run went is noted: what it did, or why it failed and when it is tried again`, async (t) => {
    const dc = await datacenter(t, engine);
    await dc.start('a');
    await dc.tells('began');
    t.match(await dc.status(), { state: 'running', holder: { worker: 'a' }, failures: 0, last_run: undefined });
    dc.say('a', 'end');
    await dc.tells('began', 2);
    t.match(await dc.status(), { last_run: { result: 'ok', worker: 'a', did: { word: 'end' }, error: undefined } });
    dc.say('a', 'fail');
    const failed = await waitFor('the failure to be noted', async () => {
      const status = await dc.status();
      return status?.state === 'failing' && status;
    });
    t.match(failed, { failures: 1, holder: undefined, last_run: { result: 'failed', error: 'told to fail' } });
    t.equal(Date.parse(failed.next_run ?? '') - Date.parse(failed.last_run?.ended_at ?? ''), 5000);
  });

  test(`${engine}: a process that is killed leaves its task to another one, when its lease has run out`, async (t) => {
    const dc = await datacenter(t, engine);
    await dc.start('a', 4);
    await dc.tells('began');
    await dc.start('b', 4);
    const until = Date.parse((await dc.status())?.holder?.until ?? '');
    await dc.kill('a');
    const { at } = await dc.tells('began', 1, 'b');
    t.ok(at >= until);
    t.match(await dc.status(), { state: 'running', holder: { worker: 'b' } });
  });

  test(`${engine}: a process that wakes up after its lease ran out ends its run, and what it did does not count`, async (t) => {
    const dc = await datacenter(t, engine);
    await dc.start('a', 1);
    await dc.tells('began');
    await dc.start('b', 1);
    dc.say('a', 'sleep');
    await dc.tells('began', 1, 'b');
    dc.signal('a', 'SIGCONT');
    t.match(await dc.tells('ended', 1, 'a'), { aborted: 'LeaseLostError' });
    t.match(await dc.status(), { holder: { worker: 'b' }, last_run: undefined });
    dc.say('b', 'end');
    await dc.tells('ended', 1, 'b');
    const noted = await waitFor('the end of the run', async () => (await dc.status())?.last_run);
    t.match(noted, { worker: 'b', result: 'ok' });
  });

  test(`${engine}: a process that wakes up with its work done finds it noted by nobody, and not by itself`, async (t) => {
    const dc = await datacenter(t, engine);
    await dc.start('a', 1);
    await dc.tells('began');
    await dc.start('b', 1);
    dc.say('a', 'sleep');
    // Read before anything else when it wakes up.
    dc.say('a', 'end');
    await dc.tells('began', 1, 'b');
    dc.signal('a', 'SIGCONT');
    await dc.tells('ended', 1, 'a');
    await dc.leaves('a');
    t.match(await dc.status(), { holder: { worker: 'b' }, last_run: undefined });
  });

  test(`${engine}: a process that stops gives its task back at once`, async (t) => {
    const dc = await datacenter(t, engine);
    await dc.start('a');
    await dc.tells('began');
    await dc.start('b');
    await dc.leaves('a');
    t.match(await dc.tells('ended', 1, 'a'), { aborted: 'AbortError' });
    await dc.tells('began', 1, 'b');
    t.match(await dc.status(), { holder: { worker: 'b' }, last_run: undefined, failures: 0 });
  });

  for (const [words, ahead] of [
    ['ten days ahead', 864_000_000],
    ['ten days behind', -864_000_000],
  ] as const) {
    test(`${engine}: a process whose clock is ${words} takes nothing from others, and holds nothing for ever`, async (t) => {
      const dc = await datacenter(t, engine);
      await dc.start('a', 1);
      await dc.tells('began');
      await dc.start('wrong', 1, ahead);
      const since = (await dc.status())?.holder?.until;
      await waitFor('the lease to be renewed', async () => (await dc.status())?.holder?.until !== since);
      t.strictSame(
        dc.told.filter(({ event, worker }) => event === 'began' && worker === 'wrong'),
        [],
      );
      await dc.kill('a');
      await dc.tells('began', 1, 'wrong');
      const { holder } = (await dc.status()) ?? {};
      t.ok(
        Math.abs(Date.parse(holder?.until ?? '') - Date.now()) < 60_000,
        'its lease is by the clock of the database',
      );
      await dc.kill('wrong');
      await dc.start('c', 1);
      await dc.tells('began', 1, 'c');
    });
  }
}
