/** Carries out the jobs that make images from machines. */
import { JobRunner } from '#lib/documents/job-runner.ts';
import type { Service } from '../service/service.ts';
import { carryOut } from './carry-out.ts';
import { HeldJob } from './held-job.ts';
import { IMAGE_JOBS, type ImageJob } from './model.ts';

/** Each asks CNAPI every few seconds. */
const MOST_RUNNING = 500;

export function startImageMaker(service: Service): JobRunner<ImageJob> {
  const { log } = service;
  return new JobRunner(service, {
    bucket: IMAGE_JOBS,
    most: MOST_RUNNING,
    async claim(stored) {
      const held = await HeldJob.claim(service, stored);
      return (
        held && {
          carryOut: (signal) => carryOut(service, held, AbortSignal.any([signal, held.signal])),
          release: () => held.release(),
        }
      );
    },
    onFailed: (err) => log.error({ err }, 'cannot look for images to make at the moment'),
    onBroken: (err, { uuid, image }) => log.warn({ err, job: uuid, image }, 'work on a job broke off; it will go on'),
  });
}
