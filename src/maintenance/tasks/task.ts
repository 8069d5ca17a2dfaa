/**
 * A task and its document in the store, which says who runs the task now, how its last run went, and when it is due.
 * All times are by the database's clock, so that the processes of a datacenter agree even if their own clocks differ.
 */
import { isHeld, type Lease, newLease } from '#lib/documents/lease.ts';
import type { Bucket } from '#lib/documents/store.ts';
import { lasts } from '#lib/runtime/clock.ts';

/**
 * It takes no input, is idempotent, works from the current state and never retries by itself, so that recovery from a
 * crash runs the same code as every day. Two runs at once must do no harm: a process that was suspended past the end of
 * its lease may continue after another has begun.
 */
export interface Task {
  readonly name: string;
  /** A sentence that tells operators what the task does. */
  readonly what: string;
  /** From the end of a run to the start of the next. */
  readonly periodMs: number;
  /** Returns what it did, for the log; undefined if there was nothing to do. */
  run(signal: AbortSignal): Promise<object | undefined>;
}

export interface LastRun {
  /** Milliseconds since the epoch. */
  readonly began_at: number;
  readonly ended_at: number;
  /** The process that ran it. */
  readonly worker: string;
  /** What it did, with lists replaced by their length. Absent if it failed or found nothing to do. */
  readonly did?: Readonly<Record<string, number | string | boolean>>;
  readonly error?: string;
}

export interface TaskRecord {
  /** Present while a process runs it. */
  readonly lease?: Lease;
  /** When the current run began. */
  readonly began_at?: number;
  /** Milliseconds since the epoch. */
  readonly next_at: number;
  /** Failed runs since the last success. */
  readonly failures: number;
  readonly last?: LastRun;
  /** Incremented by every write. */
  readonly rev: number;
}

export const TASKS: Bucket<TaskRecord> = { name: 'imgapi_tasks', version: 1, index: {} };

const NEVER_RUN: TaskRecord = { next_at: 0, failures: 0, rev: 0 };

const FIRST_PAUSE_MS = 5000;
/** Even a task with a period of a few seconds should not be retried every few seconds while it fails. */
const LEAST_LONGEST_PAUSE_MS = 60_000;

/** Time until the next run: the period or, after failures, a growing pause. */
export function pauseAfter(failures: number, { periodMs }: Pick<Task, 'periodMs'>): number {
  if (failures === 0) return periodMs;
  return Math.min(FIRST_PAUSE_MS * 2 ** Math.min(failures - 1, 30), longestPause(periodMs));
}

function longestPause(periodMs: number): number {
  return Math.max(periodMs, LEAST_LONGEST_PAUSE_MS);
}

/**
 * When the task may be claimed, in milliseconds since the epoch; not in the future if it is due now.
 * @param since when the calling process started. A task that has not run since then is due, because an earlier process
 * may have died and left something half done
 */
export function dueAt(record: TaskRecord = NEVER_RUN, { periodMs }: Task, now: number, since: number): number {
  if (isHeld(record.lease, now)) return record.lease.until;
  if ((record.last?.ended_at ?? 0) < since) return since;
  // A time further ahead than any pause was written when the clock was wrong.
  return lasts(record.next_at, longestPause(periodMs), now) ? record.next_at : now;
}

/** The record once this process has claimed the task. */
export function begun(record: TaskRecord = NEVER_RUN, worker: string, seconds: number, now: number): TaskRecord {
  return { ...record, lease: newLease(worker, seconds, now), began_at: now, rev: record.rev + 1 };
}

/** Extends the lease, counting from now. */
export function renewed(record: TaskRecord, worker: string, seconds: number, now: number): TaskRecord {
  return { ...record, lease: newLease(worker, seconds, now), rev: record.rev + 1 };
}

/** Lets any process claim the task at once, as if this one never had. */
export function givenBack({ lease: _lease, began_at: _began, ...record }: TaskRecord): TaskRecord {
  return { ...record, rev: record.rev + 1 };
}

export function ended(record: TaskRecord, task: Task, run: LastRun): TaskRecord {
  const failures = run.error === undefined ? 0 : record.failures + 1;
  return { ...givenBack(record), failures, last: run, next_at: run.ended_at + pauseAfter(failures, task) };
}
