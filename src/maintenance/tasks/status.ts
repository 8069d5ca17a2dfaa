/** The tasks as operators see them. Read from the store, so that any process can show them. */

import type { TaskRun, TaskStatus } from '#lib/api/schemas/maintenance.ts';
import { isHeld } from '#lib/documents/lease.ts';
import type { Store } from '#lib/documents/store.ts';
import { dueAt, type LastRun, TASKS, type Task, type TaskRecord } from './task.ts';

/** In the order of `tasks`. */
export async function taskStatuses(store: Store, tasks: readonly Task[]): Promise<TaskStatus[]> {
  const names = tasks.map(({ name }) => name);
  const records = new Map((await store.getMany(TASKS, names)).map(({ key, value }) => [key, value]));
  const now = store.now();
  return tasks.map((task) => statusOf(task, records.get(task.name), now));
}

function statusOf(task: Task, record: TaskRecord | undefined, now: number): TaskStatus {
  const { name, what, periodMs } = task;
  const { lease, began_at: since, last, failures = 0 } = record ?? {};
  const fixed = { name, what, period_seconds: periodMs / 1000, failures, ...(last && { last_run: shownRun(last) }) };
  if (isHeld(lease, now)) {
    const { worker, until } = lease;
    return { ...fixed, state: 'running', holder: { worker, since: iso(since ?? now), until: iso(until) } };
  }
  return {
    ...fixed,
    state: failures > 0 ? 'failing' : 'waiting',
    next_run: iso(Math.max(now, dueAt(record, task, now, 0))),
  };
}

function shownRun({ began_at: began, ended_at: ended, worker, did, error }: LastRun): TaskRun {
  return {
    result: error === undefined ? 'ok' : 'failed',
    began_at: iso(began),
    ended_at: iso(ended),
    seconds: (ended - began) / 1000,
    worker,
    ...(did && { did }),
    ...(error !== undefined && { error }),
  };
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
