/** How an image can be named on the command line: UUID, NAME, NAME@VERSION, NAME@latest, or the first eight digits of the UUID. */
import type { ListImagesFilter } from '#lib/client/filter.ts';
import { isUuid } from '#lib/text/uuid.ts';
import { CommandError } from '../../framework/errors.ts';
import { isDeprecated } from './flags.ts';

export interface ImageName {
  readonly given: string;
  readonly name: string;
  readonly version: string | undefined;
  /** The newest that can be used and that nobody advises against. */
  readonly isLatest: boolean;
  /** Whether it may also be the beginning of a UUID. A name goes before it. */
  readonly isShort: boolean;
}

/** What the search needs of an image, whichever API shows it. */
export interface Named {
  readonly name: string;
  readonly version: string;
  readonly state?: string;
  readonly published_at?: string;
  readonly deprecated_at?: string;
}

/** For the help of commands. */
export const NAMING_HELP =
  'UUID, NAME, NAME@VERSION (of several the one published last), NAME@latest (of those that are active and not deprecated the one published last), or the first 8 digits of the UUID.';

const LATEST = 'latest';

const SHORT_ID = /^[0-9a-f]{8}$/i;
/** What names and versions consist of; anything else could mean something in a filter. */
const PLAIN = /^[A-Za-z0-9._/+ -]+$/;

/** Whether it means nothing but itself in a filter. */
export function isPlain(text: string): boolean {
  return PLAIN.test(text);
}

/** In lower case; undefined when it is no UUID. */
export function readUuid(given: string): string | undefined {
  const uuid = given.toLowerCase();
  return isUuid(uuid) ? uuid : undefined;
}

export function readName(given: string): ImageName {
  const at = given.indexOf('@');
  const [name = '', version] = at < 0 ? [given] : [given.slice(0, at), given.slice(at + 1)];
  const isLatest = version === LATEST;
  return { given, name, version: isLatest ? undefined : version, isLatest, isShort: at < 0 && SHORT_ID.test(given) };
}

/** Narrows a list to what can have the name. */
export function nameFilter({ name, version, isShort }: ImageName): ListImagesFilter {
  if (isShort) return {};
  return {
    ...(isPlain(name) && { name }),
    ...(version !== undefined && isPlain(version) && { version }),
  };
}

export function isNamed({ name, version, isLatest }: ImageName, image: Named): boolean {
  if (image.name !== name) return false;
  if (isLatest) return image.state === 'active' && !isDeprecated(image);
  return version === undefined || image.version === version;
}

/** Why there is no latest, where there are images of the name; otherwise nothing. */
export function passedOver({ name, isLatest }: ImageName, images: readonly Named[]): string[] {
  const passed = isLatest ? images.filter((image) => image.name === name) : [];
  return passed.map((image) => {
    const why = image.state === 'active' && isDeprecated(image) ? 'deprecated' : image.state;
    return `${name}@${image.version} is ${why}`;
  });
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
