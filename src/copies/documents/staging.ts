/**
 * Names for the bytes of a transfer before they are in their place; no two attempts share one. Also finds the names
 * that are still needed: by the running attempt, which writes there, or by the next one, which takes those bytes over.
 */
import type { WithStore } from '#lib/documents/store.ts';
import { linkedBytesPath } from '#lib/manifest/object-paths.ts';
import { TRANSFERS, type Transfer } from './model.ts';

/** The write session of an attempt at the file of an image; no two attempts ever share one. */
export function sessionOf({ image, id }: Pick<Transfer, 'image' | 'id'>, attempt: number): string {
  return `copy.${image}.${id}.${attempt}`;
}

/** The same for the icon. */
export function iconSessionOf(transfer: Pick<Transfer, 'image' | 'id'>, attempt: number): string {
  return `${sessionOf(transfer, attempt)}.icon`;
}

/** The name under which an attempt links a file of the same store, see `same-store.ts`. */
export function byteLinkPath(transfer: Pick<Transfer, 'image' | 'id'>, attempt: number): string {
  return linkedBytesPath(sessionOf(transfer, attempt));
}

/** The sessions that some transfer still needs, even a failed one that is kept for a new order. */
export async function sessionsInUse(service: WithStore, among: ReadonlySet<string>): Promise<Set<string>> {
  const used = new Set<string>();
  for await (const transfers of service.store.scan(TRANSFERS, {})) {
    for (const { value } of transfers) {
      for (const session of sessionsOf(value)) if (among.has(session)) used.add(session);
    }
  }
  return used;
}

function sessionsOf(transfer: Transfer): string[] {
  const { attempt, staged } = transfer;
  return [
    sessionOf(transfer, attempt),
    iconSessionOf(transfer, attempt),
    // In case a claim is being written at this moment.
    sessionOf(transfer, attempt + 1),
    iconSessionOf(transfer, attempt + 1),
    ...(staged === undefined ? [] : [staged]),
  ];
}
