/** What a file of joined modules was made of, and that it is whole: its first line says so, and it is used for no others. */
import { createHash } from 'node:crypto';

/** @param files by path; those that are no modules do not count */
export function withMark(text: string, files: ReadonlyMap<string, string>): string {
  return `${markOf(text, files)}\n${text}`;
}

/** Whoever makes it may be killed amid that, or have no room left. */
export function isJoinedOf(joined: string, files: ReadonlyMap<string, string>): boolean {
  const end = joined.indexOf('\n');
  return end > 0 && joined.slice(0, end) === markOf(joined.slice(end + 1), files);
}

function markOf(text: string, files: ReadonlyMap<string, string>): string {
  const modules = [...files].filter(([path]) => path.endsWith('.js')).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `/* ${createHash('sha256')
    .update(JSON.stringify([modules, text]))
    .digest('hex')} */`;
}
