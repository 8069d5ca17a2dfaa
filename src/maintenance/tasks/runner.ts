/**
 * Runs the datacenter's tasks in this process, unless another process is running them. Every process looks for due
 * tasks and claims one by writing a lease, which fails if another process wrote first. The others leave the task alone
 * until it is due again or, if its process died, until the lease expires.
 */
import type { Stored } from '#lib/documents/store.ts';
import { pause } from '#lib/runtime/timers.ts';
import { HeldTask, type TaskHost } from './held-task.ts';
import { dueAt, TASKS, type Task, type TaskRecord } from './task.ts';

export interface TaskRunner {
  /** Starts no more tasks, and waits until the running ones have ended or given up their leases. */
  stop(): Promise<void>;
}

/** Limited because another process may give up a task at any time. */
const LONGEST_WAIT_MS = 5000;
/** Tasks due within this time are claimed right away, so that one commit writes several claims. */
const SHORTEST_WAIT_MS = 200;
/** Keeps processes from all looking at the same moment. */
const JITTER_MS = 200;

export function runTasks(host: TaskHost, tasks: readonly Task[]): TaskRunner {
  const runner = new Runner(host, tasks);
  return { stop: () => runner.stop() };
}

class Runner {
  readonly #host: TaskHost;
  readonly #tasks: readonly Task[];
  readonly #since: number;
  readonly #stopping = new AbortController();
  readonly #running = new Map<string, Promise<void>>();
  readonly #looking: Promise<void>;
  #wasOk = true;

  constructor(host: TaskHost, tasks: readonly Task[]) {
    this.#host = host;
    this.#tasks = tasks;
    this.#since = host.store.now();
    this.#looking = this.#work();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#looking;
    await Promise.all(this.#running.values());
  }

  async #work(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      const wait = (await this.#lookSafely()) + JITTER_MS * Math.random();
      await pause(wait, this.#stopping.signal).catch(() => undefined);
    }
  }

  /** Returns how long to wait before the next look. */
  async #lookSafely(): Promise<number> {
    try {
      const wait = await this.#look();
      this.#wasOk = true;
      return wait;
    } catch (error) {
      // While the store is down every look fails; only the first failure is logged.
      if (this.#wasOk) this.#host.log.error({ err: error }, 'cannot look for due tasks at the moment');
      this.#wasOk = false;
      return LONGEST_WAIT_MS;
    }
  }

  async #look(): Promise<number> {
    const { store } = this.#host;
    const idle = this.#tasks.filter(({ name }) => !this.#running.has(name));
    const found = await store.getMany(
      TASKS,
      idle.map(({ name }) => name),
    );
    const now = store.now();
    const claims: Promise<void>[] = [];
    let next = now + LONGEST_WAIT_MS;
    for (const task of idle) {
      const stored = found.find(({ key }) => key === task.name);
      const due = dueAt(stored?.value, task, now, this.#since);
      if (due <= now + SHORTEST_WAIT_MS) claims.push(this.#takeUp(task, stored));
      else next = Math.min(next, due);
    }
    await Promise.all(claims);
    return next - now;
  }

  async #takeUp(task: Task, stored: Stored<TaskRecord> | undefined): Promise<void> {
    const held = await HeldTask.claim(this.#host, task, stored);
    if (!held) return;
    const run = held.run(this.#stopping.signal).finally(() => this.#running.delete(task.name));
    this.#running.set(task.name, run);
  }
}
