/**
 * Orders as jobs of Triton's workflow service, which is where today's clients look for imports: they poll
 * `GET /jobs/:uuid` until `execution` is succeeded or failed, and then take the last of `chain_results`.
 */
import { EXECUTIONS } from '#lib/api/jobs.ts';
import type { CopyKind } from '#lib/api/schemas/copy.ts';
import type { Job, JobResult } from '#lib/api/schemas/job.ts';
import { redact } from '#lib/text/redact.ts';
import type { CopyOrder, OrderMember } from '../documents/model.ts';

/** The names that these jobs have always had. Clients also list jobs by them. */
const TASKS: Readonly<Record<CopyKind, string>> = {
  'copy-from-dc': 'copy-image-from-dc',
  'import-from-datacenter': 'import-remote-image',
  'import-remote': 'import-remote-image',
};

export function jobOf(order: CopyOrder): Job {
  const { uuid, kind, account, image, source, state, members, created_at, started_at, finished_at } = order;
  return {
    uuid,
    name: TASKS[kind],
    image_uuid: image,
    execution: EXECUTIONS[state],
    params: {
      task: TASKS[kind],
      image_uuid: image,
      target: image,
      source: redact(source),
      ...(account !== undefined && { account }),
      images: members.map((member) => member.uuid),
    },
    chain_results: order.live ? [] : results(order),
    created_at,
    ...(started_at !== undefined && { started_at }),
    ...(finished_at !== undefined && { finished_at }),
  };
}

/** One result for each image, then one for the whole order: clients go by the last one. */
function results(order: CopyOrder): JobResult[] {
  const times = {
    started_at: order.started_at ?? order.created_at,
    finished_at: order.finished_at ?? order.created_at,
  };
  const images = order.members
    .filter(({ result }) => result?.state === 'succeeded')
    .map((member) => imported(member, times));
  const last = { name: 'commit', ...times };
  switch (order.state) {
    case 'succeeded':
      return [...images, { ...last, result: 'OK', error: '' }];
    case 'canceled':
      return [...images, { ...last, result: '', error: { code: 'Canceled', message: 'the copy was canceled' } }];
    default: {
      const { code, message } = order.error ?? { code: 'InternalError', message: 'the copy failed' };
      return [...images, { ...last, result: '', error: { code, message } }];
    }
  }
}

function imported({ uuid }: OrderMember, times: Pick<JobResult, 'started_at' | 'finished_at'>): JobResult {
  return { name: `import_image ${uuid}`, result: 'OK', error: '', ...times };
}
