import { open, stat } from 'node:fs/promises';
import { hasCode } from '#lib/runtime/absence.ts';
import { type DataSource, UnreadableError } from './data-source.ts';
import { dumpSource } from './dump-source.ts';
import { folderSource } from './folder-source.ts';

/** A data folder, or a dump in a file. @param files the folder that holds `images` @throws UnreadableError */
export async function openSource(path: string, files: string | undefined): Promise<DataSource> {
  try {
    const found = await stat(path);
    if (found.isDirectory()) return await folderSource(path, files);
    if (found.isFile()) {
      await assertText(path);
      return await dumpSource(path, files);
    }
  } catch (error) {
    if (!hasCode(error, 'ENOENT', 'EACCES', 'EPERM', 'ENOTDIR', 'ELOOP')) throw error;
    throw new UnreadableError((error as Error).message, { cause: error });
  }
  throw new UnreadableError(`${path} is neither a folder nor a file`);
}

/** How files begin that were packed to be kept, in hexadecimal digits, and what unpacks them. */
const PACKED = [
  ['1f8b', 'gzip -d'],
  ['425a68', 'bzip2 -d'],
  ['fd377a585a00', 'xz -d'],
  ['28b52ffd', 'zstd -d'],
] as const;
const BEGINNING = 8;

/** Each line of a compressed dump would be told as one that is no object. @throws UnreadableError */
async function assertText(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    const { buffer } = await handle.read(Buffer.alloc(BEGINNING), 0, BEGINNING, 0);
    const hex = buffer.toString('hex');
    const [, unpack] = PACKED.find(([beginning]) => hex.startsWith(beginning)) ?? [];
    if (unpack === undefined) return;
    throw new UnreadableError(`${path} is compressed; unpack it first: ${unpack} < ${path} > images.dump`);
  } finally {
    await handle.close();
  }
}
