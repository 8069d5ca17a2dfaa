/** A dump of the bucket of images, an object a line, as `findobjects -H` prints it. */
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import type { ImageRecord } from '#lib/manifest/record.ts';
import { newUuid } from '#lib/text/uuid.ts';
import type { ExportTarget } from './export-data.ts';
import { storOf } from './stores.ts';

const BUCKET = 'imgapi_images';
const OWN_FILE = 0o600;

export interface DumpTarget extends ExportTarget {
  /** Removes what is not finished. */
  discard(): Promise<void>;
}

export async function dumpTarget(path: string): Promise<DumpTarget> {
  const draft = `${path}.${newUuid()}`;
  const handle: FileHandle = await open(draft, 'wx', OWN_FILE);
  let isDone = false;
  return {
    async write(record: ImageRecord) {
      await handle.write(`${JSON.stringify({ bucket: BUCKET, key: record.uuid, value: record })}\n`);
      const foreign = storOf(record);
      return foreign && `its bytes are in "${foreign}", which today's IMGAPI does not have; migrate the files first`;
    },
    async finish() {
      await handle.sync();
      await rename(draft, path);
      isDone = true;
      return [];
    },
    async discard() {
      await handle.close();
      if (!isDone) await rm(draft, { force: true });
    },
  };
}
