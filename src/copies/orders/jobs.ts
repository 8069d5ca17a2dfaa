/**
 * Orders as jobs of Triton's workflow service, which is where today's clients look for imports: they poll
 * `GET /jobs/:uuid` until `execution` is succeeded or failed, and then take the last of `chain_results`.
 */
import { redact } from '#lib/text/redact.ts';
import type { CopyOrder, OrderKind, OrderMember } from './model.ts';
import type { OrderState } from './states.ts';

/** What the clients know; a canceled job would leave them waiting. */
const EXECUTIONS: Readonly<Record<OrderState, 'queued' | 'running' | 'succeeded' | 'failed'>> = {
  queued: 'queued',
  running: 'running',
  succeeded: 'succeeded',
  failed: 'failed',
  canceled: 'failed',
};

/** The name that a job has had so far, by which they are also listed. */
const TASKS: Readonly<Record<OrderKind, string>> = {
  'copy-from-dc': 'copy-image-from-dc',
  'import-from-datacenter': 'import-remote-image',
  'import-remote': 'import-remote-image',
};

export interface JobResult {
  readonly name: string;
  readonly result: string;
  /** Empty on success. */
  readonly error: '' | { readonly code: string; readonly message: string };
  readonly started_at: string;
  readonly finished_at: string;
}

export interface JobJson {
  readonly uuid: string;
  readonly name: string;
  readonly image_uuid: string;
  readonly execution: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly chain_results: readonly JobResult[];
  readonly created_at: string;
  readonly started_at?: string;
  readonly finished_at?: string;
}

export function jobOf(order: CopyOrder): JobJson {
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
      ...(account === undefined ? {} : { account }),
      images: members.map((member) => member.uuid),
    },
    chain_results: order.live ? [] : results(order),
    created_at,
    ...(started_at === undefined ? {} : { started_at }),
    ...(finished_at === undefined ? {} : { finished_at }),
  };
}

/** One result for each image, and one for the whole at the end: it is the last that clients judge by. */
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

export interface JobFilter {
  readonly task?: string | undefined;
  readonly execution?: string | undefined;
}

export function jobsOf(orders: readonly CopyOrder[], { task, execution }: JobFilter): JobJson[] {
  return orders
    .map(jobOf)
    .filter(
      (job) => (task === undefined || job.name === task) && (execution === undefined || job.execution === execution),
    );
}
