/** The file by which a data folder is known whose restore has not ended: what is in it is not everything. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

export const RESTORE_MARKER = 'restore.unfinished';

export function isRestoreUnfinished(dataDir: string): boolean {
  return existsSync(join(dataDir, RESTORE_MARKER));
}
