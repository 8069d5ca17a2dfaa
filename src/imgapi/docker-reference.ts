/** References to images in Docker registries, as far as they have to be told from mistakes: nothing is fetched from there. */

const HOST = '(?:localhost|[a-z0-9-]+(?:\\.[a-z0-9-]+)+|[a-z0-9-]+(?=:))(?::[0-9]{1,5})?';
const PART = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const REPOSITORY = `(?:${HOST}/)?${PART}(?:/${PART})*`;
const TAG = '[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}';
const DIGEST = '[a-z0-9]+(?:[+._-][a-z0-9]+)*:[0-9a-fA-F]{32,}';

const REFERENCE = new RegExp(`^${REPOSITORY}(?::${TAG}|@${DIGEST})?$`);
const LONGEST = 512;

/** `REPOSITORY`, `REPOSITORY:TAG` or `REPOSITORY@DIGEST`, perhaps with a registry in front. */
export function isDockerReference(text: string): boolean {
  return text.length <= LONGEST && REFERENCE.test(text);
}
