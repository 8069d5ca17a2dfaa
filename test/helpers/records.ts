/** Images as they are stored. */
import type { ImageRecord } from '#lib/manifest/record.ts';
import { MANIFEST } from './images.ts';

/** What an account's image looks like in the store before it has a file. */
export function unactivatedRecord(uuid: string, owner: string, fields: Partial<ImageRecord> = {}): ImageRecord {
  return {
    ...MANIFEST,
    v: 2,
    uuid,
    owner,
    state: 'unactivated',
    activated: false,
    disabled: false,
    public: false,
    ...fields,
  };
}
