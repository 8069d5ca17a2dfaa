/** Jobs in the form of Triton's workflow service, under the names that they have there. */
import { EXECUTIONS } from '#lib/api/jobs.ts';
import type { Job, JobResult } from '#lib/api/schemas/job.ts';
import { type ImageJob, isOver } from './model.ts';

/** Clients also list jobs by it. */
const TASK = 'create-from-vm';

export function jobOfImage(job: ImageJob): Job {
  const { uuid, image, vm, account, server, incremental, max_origin_depth, created_at, started_at, finished_at } = job;
  return {
    uuid,
    name: TASK,
    image_uuid: image,
    execution: EXECUTIONS[job.state],
    params: {
      task: TASK,
      target: `/create-from-vm-${vm}`,
      image_uuid: image,
      vm_uuid: vm,
      ...(server !== undefined && { server_uuid: server }),
      ...(account !== undefined && { account }),
      compression: 'gzip',
      incremental,
      ...(max_origin_depth !== undefined && { max_origin_depth }),
    },
    chain_results: isOver(job) ? results(job) : [],
    created_at,
    ...(started_at !== undefined && { started_at }),
    ...(finished_at !== undefined && { finished_at }),
  };
}

/** Clients go by the last one. */
function results(job: ImageJob): JobResult[] {
  const times = { started_at: job.started_at ?? job.created_at, finished_at: job.finished_at ?? job.created_at };
  const done: JobResult[] = [
    ...(job.server === undefined ? [] : ['vmapi.get_vm_server']),
    ...(job.task === undefined ? [] : ['cnapi.queue_create_from_vm_task']),
  ].map((name) => ({ name, result: 'OK', error: '', ...times }));
  const last = { name: 'cnapi.poll_task', ...times };
  if (job.state === 'succeeded') return [...done, { ...last, result: 'OK', error: '' }];
  const error = job.error ?? { code: 'Canceled', message: 'the image was deleted before it came from its machine' };
  return [...done, { ...last, result: '', error }];
}
