/** The state in which a record is stored. */
import type { ImageRecord, StoredState } from '#lib/manifest/record.ts';

/** `state` follows from the two flags, in records as in answers. */
export function withState(record: ImageRecord): ImageRecord {
  const state: StoredState = !record.activated ? 'unactivated' : record.disabled ? 'disabled' : 'active';
  return { ...record, state };
}
