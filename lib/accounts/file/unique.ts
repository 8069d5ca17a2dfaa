/** What no two entries of a list may share. */
import { AccountsDocumentError } from './document-error.ts';
import { placeOf } from './entry.ts';

/** @param within what messages begin with. @throws AccountsDocumentError naming the second entry and the first */
export function assertUnique<K extends string>(
  entries: readonly Readonly<Record<K, string>>[],
  keys: readonly K[],
  within = '',
): void {
  for (const key of keys) {
    const places = new Map<string, number>();
    for (const [index, entry] of entries.entries()) {
      const earlier = places.get(entry[key]);
      if (earlier !== undefined) {
        throw new AccountsDocumentError(
          `${within}${placeOf(index, entry)}: ${key}: "${entry[key]}" is already used in entry ${earlier}`,
        );
      }
      places.set(entry[key], index);
    }
  }
}
