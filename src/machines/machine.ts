/** What VMAPI says of a machine. */
import { ImgapiError } from '#lib/client/errors.ts';
import { isObject } from '#lib/manifest/fields.ts';
import { isUuid } from '#lib/text/uuid.ts';
import type { TritonApi, TritonCall } from './triton-api.ts';

export interface Machine {
  readonly uuid: string;
  readonly brand: string;
  readonly state: string;
  readonly isDocker: boolean;
  /** The node that it is on. */
  readonly server?: string;
  /** The image that it was made of. */
  readonly image?: string;
  /** Of brand lx only. */
  readonly kernelVersion?: string;
}

const WITH_DISKS = ['kvm', 'bhyve'];

/** Undefined if there is none, or it is somebody else's. @param owner absent: anybody's @throws as TritonApi.get */
export async function findMachine(
  vmapi: TritonApi,
  uuid: string,
  owner: string | undefined,
  call: TritonCall,
): Promise<Machine | undefined> {
  const query = owner === undefined ? '' : `?owner_uuid=${owner}`;
  try {
    const vm = await vmapi.get(`/vms/${uuid}${query}`, call);
    // The parameter is looked at by some versions only.
    if (vm['uuid'] !== uuid || (owner !== undefined && vm['owner_uuid'] !== owner)) return undefined;
    return machineOf(uuid, vm);
  } catch (error) {
    if (error instanceof ImgapiError && error.statusCode === 404) return undefined;
    throw error;
  }
}

function machineOf(uuid: string, vm: Readonly<Record<string, unknown>>): Machine {
  const brand = textOf(vm['brand']);
  const { server_uuid: server, kernel_version: kernelVersion } = vm;
  const image = WITH_DISKS.includes(brand) ? imageOfDisks(vm['disks']) : vm['image_uuid'];
  return {
    uuid,
    brand,
    state: textOf(vm['state']),
    isDocker: Boolean(vm['docker']),
    ...(isUuid(server) && { server }),
    ...(isUuid(image) && { image }),
    ...(brand === 'lx' && typeof kernelVersion === 'string' && kernelVersion !== '' && { kernelVersion }),
  };
}

function imageOfDisks(disks: unknown): unknown {
  if (!Array.isArray(disks)) return undefined;
  return disks.map((disk: unknown) => (isObject(disk) ? disk['image_uuid'] : undefined)).find(isUuid);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
