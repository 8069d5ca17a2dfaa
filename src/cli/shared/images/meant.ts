/**
 * What somebody meant who named an image that is not there: another version of it, or an image whose name is close. At most
 * three short lists are asked for, however many images there are.
 */
import { closest } from '#lib/text/suggest.ts';
import { type ImageName, isPlain, type Named } from './naming.ts';

/** Images that are enough to find a name among. */
export const ENOUGH_IMAGES = 100;
const MOST_VERSIONS = 5;
/** Letters of a name; in a shorter one, a slip is too easily in any three of them, or in any two. */
const LONG_NAME = 7;
const SHORT_NAME = 4;

/** Images that may be found by their name: those of exactly this one, or {@link ENOUGH_IMAGES} of all or of a part (`~`). */
export type ListNamed = (name: string | undefined) => Promise<readonly Named[]>;

/** For the end of a message: `; did you mean "base@1.0.0"?`, the versions that there are, or nothing. */
export async function meantByName(name: ImageName, list: ListNamed, signal: AbortSignal): Promise<string> {
  try {
    return (await versionsInstead(name, list)) || (await nameInstead(name, list));
  } catch (error) {
    if (signal.aborted) throw error;
    // That there is no such image is what has to be said.
    return '';
  }
}

async function versionsInstead({ name, version }: ImageName, list: ListNamed): Promise<string> {
  if (version === undefined || !isPlain(name)) return '';
  const versions = versionsOf(name, newestFirst(await list(name)));
  return versions.length === 0 ? '' : `; ${versionWords(name, versions)}`;
}

async function nameInstead({ name, version, isLatest }: ImageName, list: ListNamed): Promise<string> {
  for (const piece of piecesOf(name)) {
    const images = newestFirst(await list(piece === undefined ? undefined : `~${piece}`));
    const meant = closest(name, [...new Set(images.map((image) => image.name))]);
    if (meant === undefined || meant === name) continue;
    const hasVersion = version !== undefined && versionsOf(meant, images).includes(version);
    const end = isLatest ? '@latest' : hasVersion ? `@${version}` : '';
    return `; did you mean "${meant}${end}"?`;
  }
  return '';
}

/**
 * What the image's name has to have: its beginning without the first letter, which may be a capital, since most slips are further back;
 * or else what comes behind a slip there. Undefined: nothing can be said of it.
 */
function piecesOf(name: string): (string | undefined)[] {
  const { length } = name;
  if (length <= SHORT_NAME) return [undefined];
  const [end, again] = length < LONG_NAME ? [3, 3] : [4, length > LONG_NAME ? 5 : 4];
  const pieces = [name.slice(1, end), name.slice(again, again + 4)].filter(isPlain);
  return pieces.length > 0 ? pieces : [undefined];
}

function newestFirst(images: readonly Named[]): Named[] {
  const date = ({ published_at: at = '' }: Named): string => at;
  return images.toSorted((one, other) => (date(one) < date(other) ? 1 : -1));
}

function versionsOf(name: string, images: readonly Named[]): string[] {
  return [...new Set(images.filter((image) => image.name === name).map(({ version }) => version))];
}

function versionWords(name: string, versions: readonly string[]): string {
  const shown = versions.slice(0, MOST_VERSIONS).join(', ');
  if (versions.length > MOST_VERSIONS) return `the newest versions of ${name} are ${shown}`;
  return versions.length === 1 ? `the only version of ${name} is ${shown}` : `the versions of ${name} are ${shown}`;
}

/** Whether it is the beginning of that UUID but for one digit, or for two neighbours that changed places. */
export function isNearly(shortId: string, uuid: string): boolean {
  const digits = shortId.toLowerCase();
  const wrong = [...digits].flatMap((digit, at) => (digit === uuid[at] ? [] : [at]));
  const [first = 0, second = 0] = wrong;
  if (wrong.length !== 2) return wrong.length === 1;
  const areSwapped = digits[first] === uuid[second] && digits[second] === uuid[first];
  return areSwapped && second === first + 1;
}

/** @param images those that the caller may mean, whose UUIDs nearly begin so */
export function meantByShortId(images: readonly (Named & { readonly id: string })[]): string {
  const [image, another] = images;
  if (!image || another) return '';
  return `; did you mean ${image.id.slice(0, 8)} (${image.name}@${image.version})?`;
}
