/**
 * Which image the user means. A name finds only what is the account's own or public: anybody can share an image that
 * is called like another one, and must not get it used that way. Whoever means a shared one names its owner.
 */
import type { ListImagesFilter } from '#lib/client/filter.ts';
import { isUuid } from '#lib/uuid.ts';
import { CommandError } from '../framework/errors.ts';
import { EXIT } from '../framework/exit-codes.ts';
import type { CloudapiClient } from './cloudapi-client.ts';
import { type CloudapiImage, imageLabel } from './image.ts';

export interface Wanted {
  /** `usable`: the account's own, and public ones. */
  readonly whose: 'usable' | 'own' | { readonly sharedBy: string };
  /** Default `active`. */
  readonly state?: 'active' | 'all';
  /** Those for which it holds go before all others of the name. */
  readonly rather?: (image: CloudapiImage) => boolean;
}

const SHORT_ID = /^[0-9a-f]{8}$/;
/** What names and versions consist of; anything else could mean something in a filter. */
const PLAIN = /^[A-Za-z0-9._/+ -]+$/;

/** @param given UUID, NAME, NAME@VERSION, or the first eight digits of a UUID */
export async function findImage(
  client: CloudapiClient,
  given: string,
  wanted: Wanted,
  signal: AbortSignal,
): Promise<CloudapiImage> {
  if (isUuid(given.toLowerCase())) return byUuid(client, given.toLowerCase(), wanted, signal);
  const [name = '', version] = splitName(given);
  const isShort = version === undefined && SHORT_ID.test(given);
  const [account, images] = await Promise.all([
    client.account({ signal }),
    client.listImages({ ...scope(wanted), ...(isShort ? {} : nameFilter(name, version)) }, { signal }),
  ]);
  const found = images.filter((image) => isAllowed(image, account.id, wanted));
  const isNamed = (image: CloudapiImage): boolean =>
    image.name === name && (version === undefined || image.version === version);
  const named = latest(found.filter(isNamed), wanted);
  if (named) return named;
  const short = isShort ? found.filter(({ id }) => id.startsWith(given)) : [];
  if (short.length > 1) throw ambiguous(given, short);
  const [image] = short;
  if (image) return image;
  throw notFound(
    given,
    wanted,
    images.filter((other) => isNamed(other) && isShared(other, account.id)),
  );
}

/** The UUID is enough: nothing is asked for it. */
export async function imageId(
  client: CloudapiClient,
  given: string,
  wanted: Wanted,
  signal: AbortSignal,
): Promise<string> {
  const uuid = given.toLowerCase();
  return isUuid(uuid) ? uuid : (await findImage(client, given, wanted, signal)).id;
}

async function byUuid(
  client: CloudapiClient,
  uuid: string,
  { whose }: Wanted,
  signal: AbortSignal,
): Promise<CloudapiImage> {
  const image = await client.getImage(uuid, { signal });
  if (typeof whose === 'object' && !isOwner(image, whose.sharedBy)) throw notFound(uuid, { whose }, []);
  return image;
}

function splitName(given: string): readonly string[] {
  const at = given.indexOf('@');
  return at < 0 ? [given] : [given.slice(0, at), given.slice(at + 1)];
}

function scope({ whose, state = 'active' }: Wanted): ListImagesFilter {
  return { state, ...(whose === 'own' && { owner: 'me' }), ...(typeof whose === 'object' && { shared: true }) };
}

function nameFilter(name: string, version: string | undefined): ListImagesFilter {
  return {
    ...(PLAIN.test(name) && { name }),
    ...(version !== undefined && PLAIN.test(version) && { version }),
  };
}

/** A server that does not know a filter answers more than was asked for. */
function isAllowed(image: CloudapiImage, account: string, { whose }: Wanted): boolean {
  if (whose === 'own') return image.owner === account;
  if (whose === 'usable') return image.owner === account || image.public === true;
  return isShared(image, account) && isOwner(image, whose.sharedBy);
}

function isShared(image: CloudapiImage, account: string): boolean {
  return image.owner !== account && image.public !== true;
}

/** By what the image itself says. */
function isOwner({ owner, owner_login: login }: CloudapiImage, named: string): boolean {
  return isUuid(named) ? owner === named : login === named;
}

/** By the time of publication. */
function latest(images: readonly CloudapiImage[], { rather }: Wanted): CloudapiImage | undefined {
  const better = rather ? images.filter(rather) : [];
  const byDate = (image: CloudapiImage): string => `${image.published_at ?? ''} ${image.id}`;
  const sorted = [...(better.length > 0 ? better : images)].sort((one, other) =>
    byDate(one) < byDate(other) ? -1 : 1,
  );
  return sorted.at(-1);
}

function ambiguous(given: string, images: readonly CloudapiImage[]): CommandError {
  return new CommandError(`"${given}" is the beginning of ${images.length} images`, {
    code: 'Ambiguous',
    details: images.map(({ id, ...image }) => `${id} ${imageLabel({ id, ...image }).slice(9)}`),
  });
}

function notFound(given: string, { whose }: Wanted, shared: readonly CloudapiImage[]): CommandError {
  const kind = whose === 'own' ? 'of your own' : whose === 'usable' ? 'of your own or public' : `of ${whose.sharedBy}`;
  return new CommandError(`there is no image "${given}" ${kind}`, {
    code: 'ResourceNotFound',
    exitCode: EXIT.notFound,
    details: shared.map(
      ({ id, owner_login: login, owner }) =>
        `${login ?? owner} shares ${id} of that name: say that you mean it with -S ${login ?? owner}, or by its UUID`,
    ),
  });
}
