/** The part of a Triton in which images are made from machines: VMAPI, CNAPI and one compute node. */
import { randomUUID } from 'node:crypto';
import type { Test } from 'tap';
import { type Cnapi, startCnapi } from './cnapi.ts';
import { type ComputeNode, computeNode } from './compute-node.ts';
import { startVmapi, type Vm, type Vmapi } from './vmapi.ts';

export interface Triton {
  readonly vmapi: Vmapi;
  readonly cnapi: Cnapi;
  readonly node: ComputeNode;
  /** UUID of the node. */
  readonly server: string;
  /** For the configuration of IMGAPI. */
  readonly keys: Readonly<Record<string, unknown>>;
  /** A machine on the node. */
  addVm(fields: Partial<Vm> & Pick<Vm, 'owner_uuid'>): Vm;
  addServer(uuid: string, release: string | undefined, stamp: string | undefined): void;
}

export async function startTriton(t: Test): Promise<Triton> {
  const node = computeNode();
  const vmapi = await startVmapi();
  t.teardown(() => vmapi.stop());
  const cnapi = await startCnapi(node);
  t.teardown(() => cnapi.stop());
  const server = randomUUID();
  const triton: Triton = {
    vmapi,
    cnapi,
    node,
    server,
    keys: { vmapi: { url: vmapi.url }, cnapi: { url: cnapi.url }, allowLocalCreateImageFromVm: true },
    addVm(fields) {
      const vm: Vm = { uuid: randomUUID(), brand: 'joyent', state: 'running', server_uuid: server, ...fields };
      vmapi.vms.set(vm.uuid, vm);
      return vm;
    },
    addServer(uuid, release, stamp) {
      const sysinfo = { UUID: uuid, ...(release !== undefined && { 'SDC Version': release }) };
      cnapi.servers.set(uuid, {
        uuid,
        hostname: 'cn0',
        status: 'running',
        setup: true,
        sysinfo,
        current_platform: stamp,
      });
    },
  };
  triton.addServer(server, '7.0', '20260101T000000Z');
  return triton;
}
