/** The images that build on an image. */

import { ApiError } from '#lib/api/errors/api-error.ts';
import type { Filter, WithStore } from '#lib/documents/store.ts';
import { IMAGES, type ImageRecord } from '#lib/manifest/record.ts';
import { mayChange, relationTo, type Viewer } from './access.ts';
import { originsOf } from './cycles.ts';

/** How many of them an error lists when there are too many to list them all. */
const LISTED_DEPENDENTS = 5;
const ALL_LISTED_BELOW = 10;

/** Also for one that is there and that whoever asks may not see. */
export function originDoesNotExist(uuid: string): ApiError {
  return new ApiError('OriginDoesNotExist', `origin image "${uuid}" does not exist`);
}

/**
 * Images with this origin, in a channel when one is named, bit by bit: there may be a great many. Failed placeholders
 * and tombstones do not count, nor does what is itself an origin of the image: a cycle is no reason to keep it.
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
 * Refuses to take an image away from those that build on it. To an account that is its own images, and those of others
 * as long as they may use the image: who may not see it (any more) keeps nobody from deleting it, and what they built
 * on it then has an origin that is not there, as it was to them before. Operators see all that builds on the image, and
 * decide themselves what goes first.
 * @throws 422 ImageHasDependentImages, naming only what belongs to the caller, or to operators all
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

/** As many of the images that may be named as an error can list, and how many there are. */
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
    return 'images of other accounts that may use it; once it is not shared with them any more, it can be deleted';
  }
  const shown = count < ALL_LISTED_BELOW ? first : first.slice(0, LISTED_DEPENDENTS);
  const more = count > shown.length ? ` (${count} in all)` : '';
  return `${shown.join(', ')}${more}`;
}
