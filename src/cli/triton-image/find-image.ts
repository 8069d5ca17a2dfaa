/**
 * Which image the user means. A name finds only what is the account's own or public: anybody can share an image that
 * is called like another one, and must not get it used that way. To mean a shared one, its owner is named.
 */

import type { CloudapiImage } from '#lib/api/cloudapi/schemas/image.ts';
import { isUuid } from '#lib/text/uuid.ts';
import { CommandError } from '../framework/errors.ts';
import { EXIT } from '../framework/exit-codes.ts';
import { ENOUGH_IMAGES, isNearly, meantByName, meantByShortId } from '../shared/images/meant.ts';
import {
  ambiguous,
  type ImageName,
  isNamed,
  latest,
  nameFilter,
  passedOver,
  readName,
  readUuid,
} from '../shared/images/naming.ts';
import type { CloudapiClient, ListImagesFilter } from './cloudapi-client.ts';
import { imageLabel } from './image.ts';

/** Images in other states that are named. */
const MOST_ASLEEP = 5;

export interface Wanted {
  /** `usable`: the account's own, and public ones. Only what is offered is not in the account's lists. */
  readonly whose: 'usable' | 'own' | { readonly sharedBy: string } | { readonly offeredBy: string };
  /** Default `active`. */
  readonly state?: 'active' | 'all';
  /** Refuses a name that several images have, instead of taking the one published last. */
  readonly one?: boolean;
  /** Those for which it holds go before all others of the name. */
  readonly rather?: (image: CloudapiImage) => boolean;
}

/** @param given UUID, NAME, NAME@VERSION, NAME@latest, or the first eight digits of a UUID */
export async function findImage(
  client: CloudapiClient,
  given: string,
  wanted: Wanted,
  signal: AbortSignal,
): Promise<CloudapiImage> {
  const uuid = readUuid(given);
  if (uuid !== undefined) return byUuid(client, uuid, wanted, signal);
  const name = readName(given);
  const [account, images] = await Promise.all([
    client.account({ signal }),
    client.listImages({ ...scope(wanted), ...nameFilter(name) }, { signal }),
  ]);
  const hasShortId = ({ id }: CloudapiImage): boolean => name.isShort && id.startsWith(given.toLowerCase());
  const found = images.filter((image) => isAllowed(image, account.id, wanted));
  const matching = found.filter((image) => isNamed(name, image));
  if (wanted.one && !name.isLatest && matching.length > 1) {
    throw ambiguous(
      `"${given}" names ${matching.length} images; say which one you mean`,
      matching.map((image) => `${image.id} ${imageLabel(image).slice(9)}`),
    );
  }
  const short = found.filter(hasShortId);
  // Anybody may call an image as the UUID of another one begins.
  if (wanted.one && matching.length > 0 && short.some((image) => !matching.includes(image))) {
    throw ambiguous(
      `"${given}" is the name of an image, and begins the UUID of another; say which one you mean`,
      [...new Set([...matching, ...short])].map((image) => `${image.id} ${imageLabel(image).slice(9)}`),
    );
  }
  const named = preferred(matching, wanted);
  if (named) return named;
  if (short.length > 1) {
    throw ambiguous(
      `"${given}" begins the UUIDs of ${short.length} images`,
      short.map((image) => `${image.id} ${imageLabel(image).slice(9)}`),
    );
  }
  const [image] = short;
  if (image) return image;
  const passed = passedOver(name, found);
  const list = async (named: string | undefined) => {
    const limit = named?.startsWith('~') === false ? {} : { limit: ENOUGH_IMAGES };
    const filter = { ...scope(wanted), ...limit, ...(named !== undefined && { name: named }) };
    return (await client.listImages(filter, { signal })).filter((image) => isAllowed(image, account.id, wanted));
  };
  const near = name.isShort ? found.filter(({ id }) => isNearly(given, id)) : [];
  const asleep = await notActive(client, name, wanted, account.id, signal);
  const isKnown = passed.length > 0 || asleep.length > 0 || name.isShort;
  const meant = isKnown ? meantByShortId(near) : await meantByName(name, list, signal);
  const isMeant = (other: CloudapiImage): boolean => isNamed(name, other) || hasShortId(other);
  throw notFound(
    given,
    wanted,
    images.filter((other) => isMeant(other) && isShared(other, account.id)),
    { passed: [...passed, ...asleep], meant },
  );
}

/** The account's own images of that name in other states: that there are others of the name would mislead. */
async function notActive(
  client: CloudapiClient,
  name: ImageName,
  { whose, state }: Wanted,
  account: string,
  signal: AbortSignal,
): Promise<string[]> {
  if (state === 'all' || typeof whose !== 'string' || name.isLatest) return [];
  const images = await client.listImages({ ...scope({ whose: 'own', state: 'all' }), ...nameFilter(name) }, { signal });
  const found = images.filter((image) => image.owner === account && image.state !== 'active' && isNamed(name, image));
  return found
    .slice(0, MOST_ASLEEP)
    .map(
      (image) =>
        `your ${image.name}@${image.version} is ${image.state}: name it by its UUID, ${image.id}; get --all finds it by name`,
    );
}

/** The UUID is enough: nothing is asked for it. */
export async function imageId(
  client: CloudapiClient,
  given: string,
  wanted: Wanted,
  signal: AbortSignal,
): Promise<string> {
  return readUuid(given) ?? (await findImage(client, given, wanted, signal)).id;
}

async function byUuid(
  client: CloudapiClient,
  uuid: string,
  { whose }: Wanted,
  signal: AbortSignal,
): Promise<CloudapiImage> {
  const image = await client.getImage(uuid, { signal });
  const giver = giverOf(whose);
  if (giver !== undefined && !isOwner(image, giver)) throw notFound(uuid, { whose }, []);
  return image;
}

function scope({ whose, state = 'active' }: Wanted): ListImagesFilter {
  if (whose === 'own') return { state, owner: 'me' };
  if (whose === 'usable') return { state };
  return 'sharedBy' in whose ? { state, shared: true } : { state, offered: true };
}

/** A server that does not know a filter answers more than was asked for. */
function isAllowed(image: CloudapiImage, account: string, { whose }: Wanted): boolean {
  if (whose === 'own') return image.owner === account;
  if (whose === 'usable') return image.owner === account || image.public === true;
  return isShared(image, account) && isOwner(image, giverOf(whose) ?? '');
}

function giverOf(whose: Wanted['whose']): string | undefined {
  if (typeof whose === 'string') return undefined;
  return 'sharedBy' in whose ? whose.sharedBy : whose.offeredBy;
}

function isShared(image: CloudapiImage, account: string): boolean {
  return image.owner !== account && image.public !== true;
}

/** By what the image itself says. */
function isOwner({ owner, owner_login: login }: CloudapiImage, named: string): boolean {
  return isUuid(named) ? owner === named : login === named;
}

function preferred(images: readonly CloudapiImage[], { rather }: Wanted): CloudapiImage | undefined {
  const better = rather ? images.filter(rather) : [];
  return latest(better.length > 0 ? better : images, ({ id }) => id);
}

function notFound(
  given: string,
  { whose }: Wanted,
  shared: readonly CloudapiImage[],
  { passed, meant }: { readonly passed: readonly string[]; readonly meant: string } = { passed: [], meant: '' },
): CommandError {
  const kind = whose === 'own' ? 'of your own' : whose === 'usable' ? 'of your own or public' : `of ${giverOf(whose)}`;
  return new CommandError(`there is no image "${given}" ${kind}${meant}`, {
    code: 'ResourceNotFound',
    exitCode: EXIT.notFound,
    details: [
      ...passed,
      ...shared.map(
        ({ id, owner_login: login, owner }) =>
          `${login ?? owner} shares ${id}, which may be what you mean: add -S ${login ?? owner}, or name it by its UUID`,
      ),
    ],
  });
}
