/** Writes files of which nobody ever sees a part. */
import { rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { newUuid } from '../text/uuid.ts';

const OWN_FILE = 0o600;

/** For this user alone; takes the place of what is there. Until it is whole, it lies beside, under a hidden name. */
export async function writeWhole(file: string, content: string | Uint8Array): Promise<void> {
  const draft = join(dirname(file), `.${newUuid()}`);
  try {
    await writeFile(draft, content, { mode: OWN_FILE, flag: 'wx', flush: true });
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}
