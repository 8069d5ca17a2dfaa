/**
 * What a task is, and what the datacenter knows of it: one document in the store, which says who runs the task now, how
 * its last run went, and when it is due. All times are by the database's clock, so that the processes of a datacenter
 * agree on them whatever their own clocks say.
 */
import { isHeld, type Lease, newLease } from '#lib/documents/lease.ts';
import type { Bucket } from '#lib/documents/store.ts';
import { lasts } from '#lib/runtime/clock.ts';

/**
 * An idempotent function of the current state: it takes no input, and never retries by itself. So the rare path after a
 * crash is the same code as the everyday one. A process that slept through its lease may still be at it when another
 * one begins: two at once must do no harm.
 */
export interface Task {
  readonly name: string;
  /** What it does, in a sentence for operators. */
  readonly what: string;
  /** From the end of a run to the next one. */
  readonly periodMs: number;
  /** Answers what it did, for the log; undefined when there was nothing to do. */
  run(signal: AbortSignal): Promise<object | undefined>;
}

export interface LastRun {
  /** Milliseconds since the epoch. */
  readonly began_at: number;
  readonly ended_at: number;
  /** The process that ran it. */
  readonly worker: string;
  /** What it did: numbers and words, lists by their length. Absent when it failed or found nothing to do. */
  readonly did?: Readonly<Record<string, number | string | boolean>>;
  /** Why it failed. */
  readonly error?: string;
}

export interface TaskRecord {
  /** While a process runs it. */
  readonly lease?: Lease;
  /** When the process that has the lease began. */
  readonly began_at?: number;
  /** Milliseconds since the epoch. */
  readonly next_at: number;
  /** Runs that failed since one did not. */
  readonly failures: number;
  readonly last?: LastRun;
  /** Counts the writes. */
  readonly rev: number;
}

export const TASKS: Bucket<TaskRecord> = { name: 'imgapi_tasks', version: 1, index: {} };

const NEVER_RUN: TaskRecord = { next_at: 0, failures: 0, rev: 0 };

const FIRST_PAUSE_MS = 5000;
/** What is done every few seconds is not tried every few seconds while it fails. */
const LEAST_LONGEST_PAUSE_MS = 60_000;

/** From the end of a run to the next: the period, or after failures a pause that grows. */
export function pauseAfter(failures: number, { periodMs }: Pick<Task, 'periodMs'>): number {
  if (failures === 0) return periodMs;
  return Math.min(FIRST_PAUSE_MS * 2 ** Math.min(failures - 1, 30), longestPause(periodMs));
}

function longestPause(periodMs: number): number {
  return Math.max(periodMs, LEAST_LONGEST_PAUSE_MS);
}

/**
 * When the task may be taken up, in milliseconds since the epoch; in the past when that is now.
 * @param since when the process that asks was started: what has not run since then is due, for a process that starts
 * may follow one that died and left something half done
 */
export function dueAt(record: TaskRecord = NEVER_RUN, { periodMs }: Task, now: number, since: number): number {
  if (isHeld(record.lease, now)) return record.lease.until;
  if ((record.last?.ended_at ?? 0) < since) return since;
  // What lies farther ahead than any pause was written by a clock that was wrong.
  return lasts(record.next_at, longestPause(periodMs), now) ? record.next_at : now;
}

/** The task as this process runs it. */
export function begun(record: TaskRecord = NEVER_RUN, worker: string, seconds: number, now: number): TaskRecord {
  return { ...record, lease: newLease(worker, seconds, now), began_at: now, rev: record.rev + 1 };
}

/** With the lease extended from now. */
export function renewed(record: TaskRecord, worker: string, seconds: number, now: number): TaskRecord {
  return { ...record, lease: newLease(worker, seconds, now), rev: record.rev + 1 };
}

/** Any process may take it up immediately, as if this one never had. */
export function givenBack({ lease: _lease, began_at: _began, ...record }: TaskRecord): TaskRecord {
  return { ...record, rev: record.rev + 1 };
}

export function ended(record: TaskRecord, task: Task, run: LastRun): TaskRecord {
  const failures = run.error === undefined ? 0 : record.failures + 1;
  return { ...givenBack(record), failures, last: run, next_at: run.ended_at + pauseAfter(failures, task) };
}
