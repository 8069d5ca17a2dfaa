/** The images that build on an image. */
import { IMAGES, type ImageRecord } from '#lib/manifest/record.ts';
import type { Filter } from '#lib/moray/store.ts';
import { ApiError } from '../errors/api-error.ts';
import type { Service } from '../service.ts';
import { outsideCycles } from './cycles.ts';

/** How many of them an error lists when there are too many to list them all. */
const LISTED_DEPENDENTS = 5;
const ALL_LISTED_BELOW = 10;

/**
 * Images with this origin, in a channel when one is named. Failed placeholders and tombstones do not count, nor does
 * what is itself an origin of the image.
 */
export async function dependentsOf(service: Service, uuid: string, channel?: string): Promise<ImageRecord[]> {
  const filters: Filter[] = [{ op: 'eq', field: 'origin', value: uuid }];
  if (channel !== undefined) filters.push({ op: 'contains', field: 'channels', value: channel });
  const found = await service.store.find(IMAGES, { filter: { op: 'and', of: filters } });
  const dependents = found
    .map(({ value }) => value)
    .filter((record) => record.state !== 'deleting' && record.copy?.state !== 'failed');
  return outsideCycles(service, { uuid }, dependents);
}

/** @throws 422 ImageHasDependentImages */
export async function assertNoDependents(service: Service, uuid: string, channel?: string): Promise<void> {
  const dependents = await dependentsOf(service, uuid, channel);
  if (dependents.length === 0) return;
  const shown = dependents.length < ALL_LISTED_BELOW ? dependents : dependents.slice(0, LISTED_DEPENDENTS);
  const more = dependents.length > shown.length ? ` (${dependents.length} in all)` : '';
  throw new ApiError(
    'ImageHasDependentImages',
    `image "${uuid}" is the origin of ${shown.map((record) => record.uuid).join(', ')}${more}`,
  );
}
