/** Image records. */
import type { ImageRecord } from '#lib/manifest/record.ts';
import { MANIFEST } from './images.ts';

/** The record of an account's image before it has a file. */
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
