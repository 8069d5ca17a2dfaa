/** What roles are tagged on: the things that an account has in CloudAPI, by their paths. */
import type { Operation } from '#lib/api/operation.ts';
import { isUuid } from '#lib/text/uuid.ts';
import type { Call } from './call.ts';

/** `/:account/images/:id`: whatever is below an image belongs to the image. */
const DEEPEST = 3;

/** Whoever may list datacenters may be sent to one, if a policy says so: they carry no tags of their own, nor do keys. */
const WITHOUT_TAGS: readonly string[] = [':dc', ':key'];

/**
 * Path of the resource that an operation is about, without the account: `/`, `/images`, `/images/UUID`. For an action of
 * an image that is the image, even if it makes another one.
 */
export function resourceOf({ path }: Operation, { params }: Call): string {
  const [, ...parts] = partsOf(path).slice(0, DEEPEST);
  const named = parts
    .filter((part) => !WITHOUT_TAGS.includes(part))
    .map((part) => (part.startsWith(':') ? params[part.slice(1)] : part));
  return `/${named.join('/')}`;
}

export function imageResource(id: string): string {
  return `/images/${id}`;
}

const COLLECTION = /^[a-z]{1,32}$/;

/** False for the path of what there cannot be, such as an image whose id is no UUID: IMGAPI would refuse the question. */
export function canBeTagged(resource: string): boolean {
  const [, collection = '', id, ...deeper] = resource.split('/');
  if (resource === '/') return true;
  return COLLECTION.test(collection) && (id === undefined || isUuid(id)) && deeper.length === 0;
}

/** As rules and messages have it. @param resource without the account */
export function fullPath(login: string, resource: string): string {
  return resource === '/' ? `/${login}` : `/${login}${resource}`;
}

/** Whether the operation is about the whole resource, not about a part of it such as the copy of an image. */
export function isWhole({ path }: Operation): boolean {
  return partsOf(path).length <= DEEPEST;
}

function partsOf(path: string): readonly string[] {
  return path.split('/').slice(1);
}
