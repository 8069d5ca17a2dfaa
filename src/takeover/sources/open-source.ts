import { stat } from 'node:fs/promises';
import { hasCode } from '#lib/runtime/absence.ts';
import { type DataSource, UnreadableError } from './data-source.ts';
import { dumpSource } from './dump-source.ts';
import { folderSource } from './folder-source.ts';

/** A data folder, or a dump in a file. @param files the folder that holds `images` @throws UnreadableError */
export async function openSource(path: string, files: string | undefined): Promise<DataSource> {
  try {
    const found = await stat(path);
    if (found.isDirectory()) return await folderSource(path, files);
    if (found.isFile()) return await dumpSource(path, files);
  } catch (error) {
    if (!hasCode(error, 'ENOENT', 'EACCES', 'EPERM', 'ENOTDIR', 'ELOOP')) throw error;
    throw new UnreadableError((error as Error).message, { cause: error });
  }
  throw new UnreadableError(`${path} is neither a folder nor a file`);
}
