/** What both commands say of shares, and check before they change the first of several. */
import { isAclEntry } from '#lib/manifest/acl-entry.ts';
import { CommandError, usageError } from '../../framework/errors.ts';
import { printable } from '../../output/printable.ts';

/** Entries that are named when there are more. */
const NAMED = 5;

/** @throws CommandError of usage when one of them can be neither login nor UUID */
export function assertEntries(accounts: readonly string[]): void {
  const bad = accounts.find((account) => !isAclEntry(account));
  if (bad === undefined) return;
  throw usageError(
    `ACCOUNT is ${JSON.stringify(bad)}; it must be a UUID, or a login of 3 to 32 letters, digits and _ . @ % - that starts with a letter`,
  );
}

type Entries = readonly string[] | undefined;

/** The entries, with those marked that an account left or accepted. */
export function shownEntries(entries: Entries = [], left: Entries = [], accepted: Entries = []): string[] {
  const gone = left.filter((entry) => !entries.includes(entry));
  const mark = (entry: string): string => {
    if (left.includes(entry)) return ' (left)';
    return accepted.includes(entry) ? ' (accepted)' : '';
  };
  return [...entries, ...gone].map((entry) => `${entry}${mark(entry)}`);
}

/**
 * @param entries those of the image, as they were typed
 * @param left those of them whose account left, and UUIDs that are off the list for that
 * @throws CommandError NotShared when one of the accounts is not among them; nothing is changed then
 */
export function assertSharedWith(image: string, entries: Entries, left: Entries, accounts: readonly string[]): void {
  const absent = accounts.filter((account) => !entries?.includes(account) && !left?.includes(account));
  if (absent.length === 0) return;
  const all = shownEntries(entries, left);
  const others = all.length === 0 ? 'it is shared with nobody' : `it is shared with ${listed(all)}`;
  throw new CommandError(
    `image ${image} is not shared with ${quoted(absent, ' or ')}, and nothing was changed; ${others}`,
    {
      code: 'NotShared',
      details: ['name the account as it was shared: its login and its UUID are two shares'],
    },
  );
}

/** What still opens the image to others, as the rest of a sentence; empty when nothing does. */
export function stillSharedWords(all: Entries = [], left: Entries = [], isPublic = false): string {
  const entries = all.filter((entry) => !left.includes(entry));
  const still = entries.length === 0 ? '' : `; it is still shared with ${listed(entries)}`;
  return isPublic ? `${still}; it is public, so everybody can see it` : still;
}

function listed(entries: readonly string[]): string {
  const more = entries.length - NAMED;
  return `${quoted(entries.slice(0, NAMED))}${more > 0 ? ` and ${more} more` : ''}`;
}

/** `"bob", "carol"`. @param between what stands between two of them */
export function quoted(entries: readonly string[], between = ', '): string {
  return entries.map((entry) => `"${printable(entry)}"`).join(between);
}
