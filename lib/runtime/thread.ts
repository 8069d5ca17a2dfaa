/** Starts threads that do one kind of work for the whole process. */
import { Worker } from 'node:worker_threads';
import { compileCacheEnvironment } from './compile-cache.ts';

export interface ThreadOptions {
  /** Its name in the system's list of threads. */
  readonly name: string;
  /** MiB of new objects before V8 collects garbage. Threads allocate mostly messages; V8 would let them fill 48 MB. */
  readonly youngMib: number;
  /** Goes to the thread as `workerData`. */
  readonly data: unknown;
}

/** The thread keeps the process alive only after its owner has called `ref`. */
export function startThread(script: URL, { name, youngMib, data }: ThreadOptions): Worker {
  const worker = new Worker(script, {
    // Loaders and other flags of the main thread (test runners, inspectors) are of no use to it.
    execArgv: process.execArgv.filter((flag) => flag === '--enable-source-maps'),
    env: compileCacheEnvironment(),
    name,
    resourceLimits: { maxYoungGenerationSizeMb: youngMib },
    workerData: data,
  });
  worker.unref();
  return worker;
}
