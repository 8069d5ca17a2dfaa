/** The images that build on an image. */

import { ApiError } from '#lib/api/errors/api-error.ts';
import type { Filter, WithStore } from '#lib/documents/store.ts';
import { IMAGES, type ImageRecord } from '#lib/manifest/record.ts';
import { mayChange, relationTo, type Viewer } from './access.ts';
import { originsOf } from './cycles.ts';

/** How many dependents an error names when there are too many to name them all. */
const LISTED_DEPENDENTS = 5;
const ALL_LISTED_BELOW = 10;

/** Also the answer when the origin exists but the caller may not see it. */
export function originDoesNotExist(uuid: string): ApiError {
  return new ApiError('OriginDoesNotExist', `origin image "${uuid}" does not exist`);
}

/**
 * Images with this origin (in `channel`, if given), page by page, because there may be a great many. Failed placeholders
 * and tombstones do not count. Neither do the image's own origins: a cycle must not keep its members from being deleted.
 */
async function* dependentsOf(service: WithStore, uuid: string, channel?: string): AsyncGenerator<ImageRecord[], void> {
  const filters: Filter[] = [{ op: 'eq', field: 'origin', value: uuid }];
  if (channel !== undefined) filters.push({ op: 'contains', field: 'channels', value: channel });
  let origins: ReadonlySet<string> | undefined;
  for await (const found of service.store.scan(IMAGES, { filter: { op: 'and', of: filters } })) {
    const chain = origins ?? (await originsOf(service, uuid));
    origins = chain;
    yield found
      .map(({ value }) => value)
      .filter(
        ({ state, copy, uuid: dependent }) => state !== 'deleting' && copy?.state !== 'failed' && !chain.has(dependent),
      );
  }
}

/**
 * Refuses to delete an image that others build on. For an account, that means its own images, and images of other
 * accounts that may use this one. Accounts that may not (or no longer) see the image do not block its deletion: to them
 * its origin was missing before. For an operator every dependent counts.
 * @throws 422 ImageHasDependentImages; it names the caller's own dependents only, or all of them to an operator
 */
export async function assertNoDependents(
  service: WithStore,
  image: ImageRecord,
  viewer: Viewer,
  channel?: string,
): Promise<void> {
  const { uuid } = image;
  const named: Named = { first: [], count: 0 };
  let isOrigin = false;
  for await (const found of dependentsOf(service, uuid, channel)) {
    const dependents = found.filter((record) => counts(record, image, viewer));
    const own = dependents.filter((record) => mayChange(record, viewer));
    isOrigin ||= dependents.length > 0;
    named.first.push(...own.slice(0, ALL_LISTED_BELOW - named.first.length).map((record) => record.uuid));
    named.count += own.length;
  }
  if (isOrigin) throw new ApiError('ImageHasDependentImages', `image "${uuid}" is the origin of ${listed(named)}`);
}

/** The first of the dependents that may be named to the caller, and how many there are in all. */
interface Named {
  readonly first: string[];
  count: number;
}

function counts(dependent: ImageRecord, image: ImageRecord, viewer: Viewer): boolean {
  if (mayChange(dependent, viewer)) return true;
  const { owner } = dependent;
  return owner !== undefined && relationTo(image, { account: owner }) !== 'none';
}

function listed({ first, count }: Named): string {
  if (count === 0) {
    return 'images of other accounts that may use it; stop sharing it with them before you delete it';
  }
  const shown = count < ALL_LISTED_BELOW ? first : first.slice(0, LISTED_DEPENDENTS);
  const more = count > shown.length ? ` (${count} in all)` : '';
  return `${shown.join(', ')}${more}`;
}
