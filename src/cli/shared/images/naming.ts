/** How an image can be named on the command line: UUID, NAME, NAME@VERSION, or the first eight digits of the UUID. */
import type { ListImagesFilter } from '#lib/client/filter.ts';
import { isUuid } from '#lib/text/uuid.ts';
import { CommandError } from '../../framework/errors.ts';

export interface ImageName {
  readonly given: string;
  readonly name: string;
  readonly version: string | undefined;
  /** Whether it may also be the beginning of a UUID. A name goes before it. */
  readonly isShort: boolean;
}

/** What the search needs of an image, whichever API shows it. */
export interface Named {
  readonly name: string;
  readonly version: string;
  readonly published_at?: string;
}

const SHORT_ID = /^[0-9a-f]{8}$/i;
/** What names and versions consist of; anything else could mean something in a filter. */
const PLAIN = /^[A-Za-z0-9._/+ -]+$/;

/** In lower case; undefined when it is no UUID. */
export function readUuid(given: string): string | undefined {
  const uuid = given.toLowerCase();
  return isUuid(uuid) ? uuid : undefined;
}

export function readName(given: string): ImageName {
  const at = given.indexOf('@');
  const [name, version] = at < 0 ? [given] : [given.slice(0, at), given.slice(at + 1)];
  return { given, name: name ?? '', version, isShort: at < 0 && SHORT_ID.test(given) };
}

/** Narrows a list to what can have the name. */
export function nameFilter({ name, version, isShort }: ImageName): ListImagesFilter {
  if (isShort) return {};
  return {
    ...(PLAIN.test(name) && { name }),
    ...(version !== undefined && PLAIN.test(version) && { version }),
  };
}

export function isNamed({ name, version }: ImageName, image: Named): boolean {
  return image.name === name && (version === undefined || image.version === version);
}

/** The one published last; at the same time, the one whose UUID comes last. */
export function latest<Image extends Named>(
  images: readonly Image[],
  uuidOf: (image: Image) => string,
): Image | undefined {
  const key = (image: Image): string => `${image.published_at ?? ''} ${uuidOf(image)}`;
  return images.toSorted((one, other) => (key(one) < key(other) ? -1 : 1)).at(-1);
}

/** @param lines one for each image that was found */
export function ambiguous(what: string, lines: readonly string[]): CommandError {
  return new CommandError(what, { code: 'Ambiguous', details: lines });
}
