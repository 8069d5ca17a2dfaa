/** What all jobs that clients of Triton's workflow service see have in common, whatever work they are. */
import type { CopyState } from './copy-states.ts';
import type { Job } from './schemas/job.ts';

/** Only states that clients know: they would wait for ever for a canceled job to end. */
export const EXECUTIONS: Readonly<Record<CopyState, Job['execution']>> = {
  queued: 'queued',
  running: 'running',
  succeeded: 'succeeded',
  failed: 'failed',
  canceled: 'failed',
};

export interface JobFilter {
  readonly task?: string | undefined;
  readonly execution?: string | undefined;
}

export function jobsLike(jobs: readonly Job[], { task, execution }: JobFilter): Job[] {
  return jobs.filter(
    (job) => (task === undefined || job.name === task) && (execution === undefined || job.execution === execution),
  );
}
