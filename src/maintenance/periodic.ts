/**
 * Background tasks. A task is an idempotent function of the current state: it takes no input, is run at intervals and
 * on demand, and never retries by itself; the next run is the retry. So the rare path after a crash is the same code
 * as the everyday one.
 */
import type Logger from 'bunyan';
import { startTimer } from '#lib/runtime/timers.ts';

export interface Task {
  readonly name: string;
  readonly intervalMs: number;
  /** Answers what it did, for the log; undefined when there was nothing to do. */
  run(signal: AbortSignal): Promise<object | undefined>;
}

export interface TaskRunner {
  /** Ends the intervals and waits for what is running. */
  stop(): Promise<void>;
}

/** Several processes run the same tasks; a random delay keeps them from doing so in step. */
const JITTER = 0.2;

export function runTasks(tasks: readonly Task[], log: Logger): TaskRunner {
  const stopping = new AbortController();
  const loops = tasks.map((task) => runTask(task, log, stopping.signal));
  return {
    async stop() {
      stopping.abort();
      await Promise.all(loops);
    },
  };
}

async function runTask(task: Task, log: Logger, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      const done = await task.run(signal);
      if (done) log.info({ task: task.name, ...done }, 'task done');
    } catch (error) {
      if (signal.aborted) return;
      log.error({ err: error, task: task.name }, 'task failed; it runs again at its next turn');
    }
    await pause(task.intervalMs * (1 + JITTER * Math.random()), signal);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = (): void => {
      timer.stop();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = startTimer(end, ms).unref();
    signal.addEventListener('abort', end, { once: true });
  });
}
