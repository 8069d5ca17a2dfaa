/** VMAPI, as far as machines are looked up there. */
import { type JsonServer, startJsonServer } from './json-server.ts';

export interface Vm {
  readonly uuid: string;
  readonly owner_uuid: string;
  readonly [field: string]: unknown;
}

export interface Vmapi extends JsonServer {
  readonly vms: Map<string, Vm>;
}

const NOT_FOUND = { status: 404, json: { code: 'ResourceNotFound', message: 'VM not found' } };

export async function startVmapi(): Promise<Vmapi> {
  const vms = new Map<string, Vm>();
  const server = await startJsonServer(({ method, path, query }) => {
    if (method === 'GET' && path === '/vms') {
      const wanted = [...vms.values()].filter((vm) =>
        ['image_uuid', 'owner_uuid'].every((name) => !query.has(name) || query.get(name) === vm[name]),
      );
      return { status: 200, json: wanted.slice(0, Number(query.get('limit') ?? wanted.length)) };
    }
    const uuid = /^\/vms\/([^/]+)$/.exec(path)?.[1];
    if (method !== 'GET' || uuid === undefined) {
      return { status: 404, json: { code: 'ResourceNotFound', message: path } };
    }
    const vm = vms.get(uuid);
    const owner = query.get('owner_uuid');
    return vm && (owner === null || owner === vm.owner_uuid) ? { status: 200, json: vm } : NOT_FOUND;
  });
  return Object.assign(server, { vms });
}
