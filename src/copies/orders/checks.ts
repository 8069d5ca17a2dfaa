/**
 * The checks before a copy, in the required order. Local records that belong to others are looked at last, so that only
 * callers who can see the image at the source can learn about them.
 */

import { ApiError, validationFailed } from '#lib/api/errors/api-error.ts';
import { NAME_THE_OWNER } from '#lib/api/imgapi/copies.ts';
import type { ImageSource, SourceImage } from '../../datacenters/sources/source.ts';
import { knownDatacenters, sourceFor } from '../../datacenters/sources/sources.ts';
import type { Service } from '../../service/service.ts';
import type { SourceReader } from './source-reader.ts';

/** The other datacenter, named by a parameter. @throws 422 ValidationFailed datacenter */
export async function namedDatacenter(service: Service, name: unknown): Promise<ImageSource> {
  if (name === undefined || name === '') {
    throw validationFailed(
      'datacenter',
      `name the datacenter to copy from: ${await others(service)}`,
      'MissingParameter',
    );
  }
  const isHere = name === service.config.datacenterName;
  const source = typeof name === 'string' && !isHere ? await sourceFor(service, name) : undefined;
  if (source) return source;
  const shown = JSON.stringify(name);
  if (isHere) {
    throw validationFailed('datacenter', `datacenter is ${shown}, which is this datacenter; ${await others(service)}`);
  }
  throw validationFailed(
    'datacenter',
    `datacenter is ${shown}, which is not linked to this datacenter; ${await others(service)}. ` +
      'An operator links datacenters with: imgapiadm link-dc NAME URL --token TOKEN',
  );
}

async function others(service: Service): Promise<string> {
  const names = (await knownDatacenters(service)).filter((name) => name !== service.config.datacenterName);
  if (names.length === 0) return 'no datacenter is linked';
  return `linked datacenters: ${names.map((name) => `"${name}"`).join(', ')}`;
}

/** @throws 422 ValidationFailed account */
export function requiredAccount(account: string | undefined): string {
  if (account !== undefined) return account;
  throw validationFailed('account', NAME_THE_OWNER);
}

/**
 * An image that the account may copy: it must be active at the source, and belong to the account there.
 * @throws ApiError: the source's own error, 422 ValidationFailed state, 401 UnauthorizedError
 */
export async function ownImage(reader: SourceReader, uuid: string, account: string): Promise<SourceImage> {
  const { name } = reader.source;
  const image = await reader.get(uuid);
  const { state, owner } = image.manifest;
  if (state !== 'active') {
    throw validationFailed('state', `image "${uuid}" is ${String(state)} in datacenter "${name}"; it must be active`);
  }
  if (owner === account) return image;
  const message = `account "${account}" does not own image "${uuid}" in datacenter "${name}"`;
  throw new ApiError('UnauthorizedError', message);
}

/** Operators may also import disabled images, which stay disabled here. @throws 422 ValidationFailed state */
export function assertUsable({ manifest }: SourceImage, source: string): void {
  const { state, uuid } = manifest;
  if (state === 'active' || state === 'disabled') return;
  throw validationFailed(
    'state',
    `image "${String(uuid)}" is ${String(state)} at "${source}"; it must be active or disabled`,
  );
}
