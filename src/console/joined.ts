/** What a file of joined modules was made of: it says so itself, and is used for no others. */
import { createHash } from 'node:crypto';

/** @param files by path; those that are no modules do not count */
export function joinedMark(files: ReadonlyMap<string, string>): string {
  const modules = [...files].filter(([path]) => path.endsWith('.js')).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `/* ${createHash('sha256').update(JSON.stringify(modules)).digest('hex')} */`;
}

export function isJoinedOf(joined: string, files: ReadonlyMap<string, string>): boolean {
  return joined.startsWith(joinedMark(files));
}
