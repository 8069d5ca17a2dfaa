/** The scripts that run in a machine before its image is taken: they remove what must not be in two machines. */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { ifThere } from '#lib/runtime/absence.ts';

const MOST_BYTES = 256 * 1024;

/** The text of the script for an OS; undefined if there is none. @param folder `createFromVm.scripts` */
export async function prepareScript(folder: string, os: string): Promise<string | undefined> {
  const file = await ifThere(open(join(folder, `${os}-prepare-image`)));
  if (!file) return undefined;
  try {
    const buffer = Buffer.alloc(MOST_BYTES + 1);
    const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
    if (bytesRead > MOST_BYTES) throw new Error(`the script for ${os} is larger than ${MOST_BYTES} bytes`);
    return buffer.subarray(0, bytesRead).toString('utf8');
  } finally {
    await file.close();
  }
}
