/** Threads that do one kind of work for the whole process. */
import { Worker } from 'node:worker_threads';
import { compileCacheEnvironment } from './compile-cache.ts';

export interface ThreadOptions {
  /** What the system shows. */
  readonly name: string;
  /** What the thread allocates is messages; V8 would let them grow to 48 MB before it looked at them. */
  readonly youngMib: number;
  /** Goes to the thread as `workerData`. */
  readonly data: unknown;
}

/** It does not keep the process alive until its owner says so with `ref`. */
export function startThread(script: URL, { name, youngMib, data }: ThreadOptions): Worker {
  const worker = new Worker(script, {
    // Loaders and flags of the main thread (test runners, inspectors) are of no use to it.
    execArgv: [],
    env: compileCacheEnvironment(),
    name,
    resourceLimits: { maxYoungGenerationSizeMb: youngMib },
    workerData: data,
  });
  worker.unref();
  return worker;
}
