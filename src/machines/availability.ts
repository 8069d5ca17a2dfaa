/** Whether this service can make images from machines at all. */
import { ApiError } from '#lib/api/errors/api-error.ts';
import { kindOfAddress } from '#lib/network/addresses.ts';
import { listenerUrl } from '#lib/network/listener-url.ts';
import type { Guarded } from '../datacenters/peers/address-guard.ts';
import type { Config } from '../service/config/config.ts';
import { TritonApi } from './triton-api.ts';

export interface Means {
  readonly vmapi: TritonApi;
  readonly cnapi: TritonApi;
  /** Where nodes bring images. */
  readonly imgapiUrl: string;
}

/** @throws 501 NotAvailable, with what is missing */
export function meansOf(service: Guarded): Means {
  const { config } = service;
  const { vmapi, cnapi, storageTypes, allowLocalCreateImageFromVm: isLocalEnough, authType } = config;
  if (!vmapi || !cnapi) throw notAvailable('vmapi.url and cnapi.url are not both configured');
  if (!isLocalEnough && !storageTypes.some((type) => type !== 'local')) {
    throw notAvailable('storageTypes names neither manta nor s3, and allowLocalCreateImageFromVm is not set');
  }
  if (authType !== 'none') throw notAvailable('compute nodes do not sign their requests, which authType asks for');
  const imgapiUrl = urlForNodes(config);
  if (imgapiUrl === undefined) {
    throw notAvailable(
      'createFromVm.imgapiUrl, or publicUrl or adminIp, must say where compute nodes reach this service',
    );
  }
  return { vmapi: new TritonApi(service, vmapi.url), cnapi: new TritonApi(service, cnapi.url), imgapiUrl };
}

function notAvailable(why: string): ApiError {
  return new ApiError('NotAvailable', `images are not made from machines here: ${why}`);
}

/** Undefined if the listener is at an address at which nobody else finds it. */
function urlForNodes({ createFromVm, publicUrl, adminIp, address, port }: Config): string | undefined {
  const given = createFromVm.imgapiUrl ?? publicUrl;
  if (given !== undefined) return given;
  const host = adminIp ?? address;
  const isReachable = !['loopback', 'nowhere'].includes(kindOfAddress(host));
  return isReachable ? new URL(listenerUrl(host, port)).origin : undefined;
}
