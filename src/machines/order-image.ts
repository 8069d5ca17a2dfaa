/** create-from-vm: all that can be known at once is looked at, then the image's placeholder and the job are written. */
import { ApiError, imageNotFound, invalidParameter, validationFailed } from '#lib/api/errors/api-error.ts';
import { ImgapiError } from '#lib/client/errors.ts';
import { isObject } from '#lib/manifest/fields.ts';
import { shown } from '#lib/manifest/problem.ts';
import type { ImageRecord } from '#lib/manifest/record.ts';
import { isUuid, newUuid } from '#lib/text/uuid.ts';
import { foreignMessage } from '../datacenters/peers/remote-failure.ts';
import { assertUuidOrNone, createPlaceholder } from '../images/placeholder.ts';
import { assertRoomFor } from '../images/quotas/guard.ts';
import { loadImage } from '../images/record/load.ts';
import { assertManifest, assertOwnerExists, type Manifest } from '../images/record/new-record.ts';
import type { Service } from '../service/service.ts';
import { type Means, meansOf } from './availability.ts';
import { nodePlatform } from './cnapi.ts';
import { findMachine, type Machine } from './machine.ts';
import { type ImageJob, type NodeOrder, putJob } from './model.ts';
import { isOlder } from './platform.ts';
import { prepareScript } from './scripts.ts';
import { isRemote, type TritonCall } from './triton-api.ts';

export interface FromVmRequest extends TritonCall {
  readonly vm: string;
  readonly incremental: boolean;
  readonly maxOriginDepth: number | undefined;
  readonly body: unknown;
  readonly account: string | undefined;
  readonly channel: string | undefined;
}

/** The order of the checks is known to clients. @throws ApiError */
export async function orderImageFromVm(service: Service, request: FromVmRequest): Promise<ImageJob> {
  const { account, vm, channel } = request;
  assertManifest(request.body);
  const given = ownedBy(request.body, account);
  assertUuidOrNone(given['uuid']);
  const means = meansOf(service);
  const machine = await machineFor(service, means, request);
  const { manifest, script } = await orderFor(service, machine, given);
  await assertOwnerExists(service, given['owner']);
  const uuid = isUuid(given['uuid']) ? given['uuid'] : newUuid();
  const job: ImageJob = {
    uuid: newUuid(),
    image: uuid,
    vm,
    ...(account !== undefined && { account }),
    live: true,
    state: 'queued',
    created_at: new Date(service.store.now()).toISOString(),
    incremental: request.incremental,
    ...(request.maxOriginDepth !== undefined && { max_origin_depth: request.maxOriginDepth }),
    imgapi_url: means.imgapiUrl,
    request_id: request.requestId,
    order: { manifest: { ...manifest, uuid, ...(channel !== undefined && { channels: [channel] }) }, script },
    rev: 1,
  };
  // How large it becomes is known when its node brings it.
  if (account !== undefined) await assertRoomFor(service, account, { images: 1, bytes: 1 });
  const also = [putJob(job, null)];
  const { requestId } = request;
  await createPlaceholder(service, { uuid, manifest, viewer: { account }, requestId, channel, also });
  return job;
}

/** @throws 422 */
function ownedBy(body: Manifest, account: string | undefined): Manifest {
  const { channels: _channels, files: _files, state: _state, ...manifest } = body;
  const owner = manifest['owner'];
  if (account !== undefined && owner !== undefined && owner !== account) {
    throw invalidParameter('owner', `owner is ${shown(owner)}; an account can create images only as their owner`);
  }
  const owned = account ?? owner;
  if (owned === undefined) throw validationFailed('owner', 'name the owner of the image', 'MissingParameter');
  return { ...manifest, owner: owned };
}

/** @throws 422 InvalidParameter vm_uuid, InsufficientServerVersion; 503 ServiceUnavailable */
async function machineFor({ config }: Service, { vmapi, cnapi }: Means, request: FromVmRequest): Promise<Machine> {
  const { vm, account } = request;
  const found = await asked('VMAPI', request, () => findMachine(vmapi, vm, account, request));
  if (!found || found.state === 'destroyed') {
    throw notFrom(`there is no machine "${vm}"${account === undefined ? '' : ` of account "${account}"`}`);
  }
  const { server } = found;
  if (server === undefined) throw notFrom(`machine "${vm}" is on no compute node`);
  const platform = await asked('CNAPI', request, () => nodePlatform(cnapi, server, request));
  if (!platform) throw notFrom(`machine "${vm}" is on compute node "${server}", which CNAPI does not know`);
  const least = config.minImageCreationPlatform;
  if (isOlder(platform, least)) {
    const has = `${platform.release}/${platform.stamp === '' ? '?' : platform.stamp}`;
    const needs = `it must be ${least.join('/')} or newer`;
    throw new ApiError('InsufficientServerVersion', `machine "${vm}" is on a node with platform ${has}; ${needs}`);
  }
  if (found.isDocker) throw notFrom(`machine "${vm}" is a Docker container, from which no image is made`);
  return found;
}

/** Windows in KVM, from images before this day: their scripts cannot be run. */
const WINDOWS_SINCE = '2018-10-15';

/** @throws 422 vm_uuid, 404 for the image that the machine was made of, 501 NotAvailable */
async function orderFor(service: Service, machine: Machine, given: Manifest): Promise<NodeOrder> {
  const { uuid: vm, image, kernelVersion } = machine;
  if (image === undefined) throw notFrom(`VMAPI does not say of which image machine "${vm}" was made`);
  const template = (await loadImage(service, image))?.value;
  if (!template) throw imageNotFound(image);
  const { os } = template;
  const made = `machine "${vm}" was made of image "${image}"`;
  if (isOldWindows(template)) {
    throw new ApiError(
      'NotAvailable',
      `${made}, a Windows for KVM from before ${WINDOWS_SINCE}, from which no image is made`,
    );
  }
  const folder = service.config.createFromVm.scripts;
  const script = await prepareScript(folder, os);
  if (script === undefined) {
    throw new ApiError('NotAvailable', `${made}, and createFromVm.scripts has no script for its os, ${os}`);
  }
  if (kernelVersion === undefined) return { manifest: given, script };
  // Instances need it, and manifests have no field for it.
  const { tags = {} } = given;
  return { manifest: isObject(tags) ? { ...given, tags: { ...tags, kernel_version: kernelVersion } } : given, script };
}

function isOldWindows({ os, requirements, published_at: published = '' }: ImageRecord): boolean {
  return os === 'windows' && requirements?.['brand'] === 'kvm' && published !== '' && published < WINDOWS_SINCE;
}

function notFrom(why: string): ApiError {
  return invalidParameter('vm_uuid', why);
}

/** Undefined for what is not there. What goes wrong is not the caller's mistake. @throws 503 ServiceUnavailable */
async function asked<T>(
  name: string,
  { account, signal }: FromVmRequest,
  ask: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await ask();
  } catch (cause) {
    if (cause instanceof ImgapiError && cause.statusCode === 404) return undefined;
    if (signal.aborted || !isRemote(cause)) throw cause;
    // Where it is, and what it says, is for operators.
    const why = account === undefined ? `: ${foreignMessage(cause)}` : '; try again later';
    throw new ApiError('ServiceUnavailable', `${name} cannot be asked${why}`, { cause });
  }
}
