/** CNAPI, as far as it describes nodes, has them make images, and tells how their tasks go. */
import { randomUUID } from 'node:crypto';
import type { ComputeNode, Order } from './compute-node.ts';
import { type Asked, type JsonServer, startJsonServer, type Told } from './json-server.ts';

export interface Task {
  readonly id: string;
  readonly req_id: string;
  readonly task: 'machine_create_image';
  readonly server_uuid: string;
  status: 'active' | 'complete' | 'failure';
  progress: number;
  readonly timestamp: string;
  readonly history: { readonly name: string; readonly timestamp: string; readonly event: object }[];
}

export interface Cnapi extends JsonServer {
  /** As CNAPI shows them. */
  readonly servers: Map<string, object>;
  readonly tasks: Map<string, Task>;
}

export async function startCnapi(node: ComputeNode): Promise<Cnapi> {
  const servers = new Map<string, object>();
  const tasks = new Map<string, Task>();
  const server = await startJsonServer((asked) => {
    const [, kind, id = '', vms, vm = '', images] = asked.path.split('/');
    if (kind === 'tasks' && vms === undefined) return oneOf(tasks.get(id), 'no such task found');
    if (kind !== 'servers') return oneOf(undefined, `${asked.path} does not exist`);
    if (!servers.has(id)) return oneOf(undefined, `Server ${id} not found`);
    if (asked.method === 'GET' && vms === undefined) return oneOf(servers.get(id), '');
    if (asked.method === 'POST' && vms === 'vms' && images === 'images') return createImage(asked, id, vm);
    return oneOf(undefined, `${asked.path} does not exist`);
  });

  function createImage({ body, headers }: Asked, serverUuid: string, vm: string): Told {
    const wrong = problemOf(body);
    if (wrong !== undefined) return { status: 400, json: { code: 'ValidationError', message: wrong } };
    const task: Task = {
      id: randomUUID(),
      req_id: String(headers['x-request-id']),
      task: 'machine_create_image',
      server_uuid: serverUuid,
      status: 'active',
      progress: 0,
      timestamp: now(),
      history: [],
    };
    tasks.set(task.id, task);
    const event = (name: string, what: object): void => {
      task.history.push({ name, timestamp: now(), event: what });
      if (name === 'error') task.status = 'failure';
      else if (name === 'finish' && task.status === 'active') task.status = 'complete';
    };
    void node.createImage({ ...(body as Omit<Order, 'uuid'>), uuid: vm }).then(
      () => event('finish', { log: [] }),
      (error: Error & { body?: object }) => {
        event('error', { error: error.body ? JSON.stringify(error.body) : error.message });
        event('finish', { log: [{ level: 'error', message: 'the task failed' }] });
      },
    );
    return { status: 200, json: { id: task.id } };
  }

  return Object.assign(server, { servers, tasks });
}

/** What CNAPI checks of the order; all else is the node's to say. */
const RULES: Readonly<Record<string, 'string' | 'object' | 'boolean'>> = {
  compression: 'string',
  imgapi_url: 'string',
  manifest: 'object',
  incremental: 'boolean',
  prepare_image_script: 'string',
  jobid: 'string',
};
const REQUIRED = ['compression', 'imgapi_url', 'manifest'];

function problemOf(body: unknown): string | undefined {
  const given = body as Readonly<Record<string, unknown>>;
  const missing = REQUIRED.find((name) => given[name] === undefined);
  if (missing !== undefined) return `${missing} is missing`;
  const wrong = Object.entries(RULES).find(([name, type]) => given[name] !== undefined && typeof given[name] !== type);
  return wrong && `${wrong[0]} is no ${wrong[1]}`;
}

function oneOf(found: object | undefined, why: string): Told {
  return found ? { status: 200, json: found } : { status: 404, json: { code: 'ResourceNotFound', message: why } };
}

function now(): string {
  return new Date().toISOString();
}
