/**
 * Carries out jobs, each in one process at a time. Any process may take any job: it looks for those that nobody holds
 * when it starts, when a request here has written one, and by a timer. A process that dies leaves its jobs to others as
 * soon as their leases end; what has been done of a job, and what is left, its document says.
 */
import { Passes } from '../runtime/passes.ts';
import { isHeld, type Lease, LeaseLostError } from './lease.ts';
import type { Bucket, Stored, WithStore } from './store.ts';

/** A document with work to do, in a bucket that is indexed by `live`, and by `finished_at` for when that is over. */
export interface Job {
  readonly uuid: string;
  /** Whether something is left to do. */
  readonly live: boolean;
  /** Absent: whoever comes first goes on. */
  readonly lease?: Lease;
}

/** A job that this process has claimed. */
export interface ClaimedJob {
  /** Does what can be done now. @throws the signal's reason; LeaseLostError */
  carryOut(signal: AbortSignal): Promise<void>;
  /** Lets another process go on at once. Never rejects. */
  release(): Promise<void>;
}

export interface JobKind<J extends Job> {
  readonly bucket: Bucket<J>;
  /** How many run in this process at once. */
  readonly most: number;
  /** Whether it can be worked on now, beside those that run here. */
  readonly isDue?: (job: J, running: readonly J[]) => boolean;
  /** Undefined if another process claimed it first. */
  readonly claim: (stored: Stored<J>) => Promise<ClaimedJob | undefined>;
  /** Called when no jobs can be looked for, but not again until they could. */
  readonly onFailed: (error: unknown) => void;
  /** Called when a job broke off, for another reason than a lost lease or a stop. It goes on later. */
  readonly onBroken: (error: unknown, job: J) => void;
}

const POLL_MS = 5000;

export class JobRunner<J extends Job> {
  readonly #store: WithStore['store'];
  readonly #kind: JobKind<J>;
  readonly #stopping = new AbortController();
  readonly #running = new Map<string, { readonly job: J; readonly ended: Promise<void> }>();
  readonly #passes: Passes;

  constructor({ store }: WithStore, kind: JobKind<J>) {
    this.#store = store;
    this.#kind = kind;
    this.#passes = new Passes({ run: () => this.#lookForJobs(), everyMs: POLL_MS, onFailed: kind.onFailed });
  }

  /** Looks for new jobs now. */
  nudge(): void {
    this.#passes.nudge();
  }

  /** Gives the jobs of this process back; others go on with them at once. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#passes.stop();
    await Promise.all([...this.#running.values()].map(({ ended }) => ended));
  }

  async #lookForJobs(): Promise<void> {
    const { bucket, most, isDue, claim } = this.#kind;
    const filter = { op: 'eq', field: 'live', value: true } as const;
    for await (const found of this.#store.scan(bucket, { filter })) {
      for (const stored of found) {
        if (this.#stopping.signal.aborted || this.#running.size >= most) return;
        if (this.#running.has(stored.key) || isHeld(stored.value.lease, this.#store.now())) continue;
        if (isDue && !isDue(stored.value, this.#jobs())) continue;
        const claimed = await claim(stored);
        if (claimed) this.#run(stored, claimed);
      }
    }
  }

  #jobs(): J[] {
    return [...this.#running.values()].map(({ job }) => job);
  }

  #run({ key, value: job }: Stored<J>, claimed: ClaimedJob): void {
    const { signal } = this.#stopping;
    const ended = claimed
      .carryOut(signal)
      .catch((error: unknown) => {
        if (!signal.aborted && !(error instanceof LeaseLostError)) this.#kind.onBroken(error, job);
      })
      .then(() => claimed.release())
      .finally(() => this.#running.delete(key));
    this.#running.set(key, { job, ended });
  }
}
