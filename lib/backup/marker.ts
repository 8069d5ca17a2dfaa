/** The file that marks a data folder as incomplete while a restore into it is unfinished. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

export const RESTORE_MARKER = 'restore.unfinished';

export function isRestoreUnfinished(dataDir: string): boolean {
  return existsSync(join(dataDir, RESTORE_MARKER));
}
