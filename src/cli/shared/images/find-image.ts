/**
 * Which image an operator means. An operator sees the images of everybody, so a name that fits those of several owners
 * names none of them; with an account, only its own and public ones are found by name.
 */

import type { Image } from '#lib/api/schemas/image.ts';
import type { ImgapiClient } from '#lib/client/client.ts';
import { CommandError } from '../../framework/errors.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { ENOUGH_IMAGES, isNearly, meantByName, meantByShortId } from './meant.ts';
import {
  ambiguous,
  type ImageName,
  isNamed,
  latest,
  NAMING_HELP,
  nameFilter,
  passedOver,
  readName,
  readUuid,
} from './naming.ts';

/** For the arguments of commands. */
export const IMAGE_ARGUMENT = { help: NAMING_HELP } as const;

export interface Search {
  /** UUID of the account that asks; undefined: the operator. */
  readonly account: string | undefined;
  readonly signal: AbortSignal;
  /** Refuses a name that several images have, instead of taking the one published last. */
  readonly one?: boolean;
}

type Lister = Pick<ImgapiClient, 'listAll' | 'listImages'>;

/**
 * Images in any state are found. A UUID is taken as it is: nothing is asked for it.
 * @throws CommandError ResourceNotFound, Ambiguous
 */
export async function imageUuid(client: Lister, given: string, search: Search): Promise<string> {
  return readUuid(given) ?? (await findImage(client, readName(given), search)).uuid;
}

export async function imageUuids(client: Lister, given: readonly string[], search: Search): Promise<string[]> {
  const uuids: string[] = [];
  for (const one of given) uuids.push(await imageUuid(client, one, search));
  return uuids;
}

async function findImage(client: Lister, name: ImageName, { account, signal, one = false }: Search): Promise<Image> {
  const named: Image[] = [];
  const short: Image[] = [];
  const others: Image[] = [];
  const near: Image[] = [];
  for await (const image of client.listAll({ state: 'all', ...nameFilter(name) }, { signal })) {
    if (isNamed(name, image) && isFoundByName(image, account)) named.push(image);
    else if (name.isShort && image.uuid.startsWith(name.given.toLowerCase())) short.push(image);
    else if (name.isLatest && isFoundByName(image, account)) others.push(image);
    else if (name.isShort && near.length < 2 && isNearly(name.given, image.uuid)) near.push(image);
  }
  if (new Set(named.map(({ owner }) => owner)).size > 1) throw ofSeveralOwners(name.given, named);
  if (one && !name.isLatest && named.length > 1) {
    throw ambiguous(`"${name.given}" names ${named.length} images; say which one you mean`, named.map(lineOf));
  }
  // Anybody may call an image as the UUID of another one begins.
  if (one && named.length > 0 && short.length > 0) {
    const both = `"${name.given}" is the name of an image, and begins the UUID of another; say which one you mean`;
    throw ambiguous(both, [...named, ...short].map(lineOf));
  }
  const found = latest(named, ({ uuid }) => uuid);
  if (found) return found;
  const [image, another] = short;
  if (another) throw ambiguous(`"${name.given}" begins the UUIDs of ${short.length} images`, short.map(lineOf));
  if (image) return image;
  const passed = passedOver(name, others);
  const meant = name.isShort
    ? meantByShortId(near.map(({ uuid: id, ...rest }) => ({ id, ...rest })))
    : await meantInstead(client, name, { account, signal, isKnown: passed.length > 0 });
  throw new CommandError(`there is no image "${name.given}" here${meant}`, {
    code: 'ResourceNotFound',
    exitCode: EXIT.notFound,
    details: [
      ...passed,
      ...(account === undefined ? [] : ["a name finds only the account's own images and public ones"]),
    ],
  });
}

/** Only what would be found by its name. @param isKnown whether there are images of that name, which are told otherwise */
async function meantInstead(
  client: Lister,
  name: ImageName,
  { account, signal, isKnown }: Search & { readonly isKnown: boolean },
): Promise<string> {
  if (isKnown) return '';
  const list = async (named: string | undefined) => {
    const filter = { state: 'all', limit: ENOUGH_IMAGES, sort: 'published_at.desc' } as const;
    const images = await client.listImages({ ...filter, ...(named !== undefined && { name: named }) }, { signal });
    return images.filter((image) => isFoundByName(image, account));
  };
  return meantByName(name, list, signal);
}

/** Anybody may call an image as a well-known one is called, and share it. */
function isFoundByName({ owner, public: isPublic }: Image, account: string | undefined): boolean {
  return account === undefined || owner === account || isPublic;
}

function ofSeveralOwners(given: string, images: readonly Image[]): CommandError {
  return ambiguous(`several owners have an image called "${given}"; name it by its UUID`, images.map(lineOf));
}

function lineOf({ uuid, name, version, owner, owner_login: login }: Image): string {
  return `${uuid} ${name}@${version} of ${login ?? owner}`;
}
