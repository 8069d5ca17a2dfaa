/** The machines that were made of an image, by the word of VMAPI. */
import type { ImageUsage } from '#lib/api/schemas/usage.ts';
import { isObject } from '#lib/manifest/fields.ts';
import { timeLimit } from '#lib/runtime/timers.ts';
import { cutText } from '#lib/text/cut-text.ts';
import { isUuid } from '#lib/text/uuid.ts';
import type { Guarded } from '../datacenters/peers/address-guard.ts';
import type { Service } from '../service/service.ts';
import { TritonApi, type TritonCall } from './triton-api.ts';

export type Instances = NonNullable<ImageUsage['instances']>;
type Instance = Instances['instances'][number];

const MOST_INSTANCES = 1000;
const PATIENCE_MS = 5000;
const LONGEST_TEXT = 200;
const FIELDS = 'uuid,alias,owner_uuid,state,image_uuid,disks';
const GONE: readonly unknown[] = ['destroyed', 'failed'];

/**
 * Undefined where no VMAPI is configured.
 * @param account whose machines; absent: everybody's
 */
export async function instancesOf(
  service: Guarded & Pick<Service, 'log'>,
  { image, account, ...call }: TritonCall & { readonly image: string; readonly account: string | undefined },
): Promise<Instances | undefined> {
  const { vmapi } = service.config;
  if (!vmapi) return undefined;
  const query = new URLSearchParams({
    ...{ image_uuid: image, state: 'active', fields: FIELDS, limit: String(MOST_INSTANCES + 1) },
    ...(account !== undefined && { owner_uuid: account }),
  });
  const signal = AbortSignal.any([call.signal, timeLimit(PATIENCE_MS)]);
  try {
    const found = await new TritonApi(service, vmapi.url).list(`/vms?${query}`, { ...call, signal });
    const machines = found.slice(0, MOST_INSTANCES).flatMap((vm) => instanceOf(vm, image, account));
    return { count: machines.length, complete: found.length <= MOST_INSTANCES, instances: machines };
  } catch (err) {
    call.signal.throwIfAborted();
    service.log.warn({ err, image }, 'VMAPI could not be asked which machines were made of an image');
    const error = { code: 'VmapiUnavailable', message: 'VMAPI did not say which machines were made of it' };
    return { count: 0, complete: false, instances: [], error };
  }
}

/** What it is not asked for is left out, whether the other side looks at the parameters or not. */
function instanceOf(vm: unknown, image: string, account: string | undefined): Instance[] {
  if (!isObject(vm) || !isUuid(vm['uuid'])) return [];
  const { uuid, alias, owner_uuid: owner, state } = vm;
  if (!isOf(vm, image) || GONE.includes(state) || (account !== undefined && owner !== account)) return [];
  return [
    {
      uuid,
      ...(typeof alias === 'string' && { alias: cutText(alias, LONGEST_TEXT) }),
      ...(isUuid(owner) && { owner }),
      ...(typeof state === 'string' && { state: cutText(state, LONGEST_TEXT) }),
    },
  ];
}

/** Machines with disks have the image there. */
function isOf(vm: Readonly<Record<string, unknown>>, image: string): boolean {
  const disks: unknown[] = Array.isArray(vm['disks']) ? vm['disks'] : [];
  return vm['image_uuid'] === image || disks.some((disk) => isObject(disk) && disk['image_uuid'] === image);
}
