import { type FileHandle, open } from 'node:fs/promises';
import { hasCode } from '../../runtime/absence.ts';
import { ObjectNotFoundError, ObjectTruncatedError } from '../errors.ts';
import type { HashStream } from '../hashing/stream.ts';
import type { Hashes, ObjectInfo } from '../object-store.ts';

export interface StoredFile {
  readonly handle: FileHandle;
  readonly info: ObjectInfo;
}

/** Opens an object's file; it stays readable whatever happens to its name. @throws ObjectNotFoundError */
export async function openStored(path: string, file: string): Promise<StoredFile> {
  const handle = await openFile(path, file);
  try {
    const found = await handle.stat();
    if (!found.isFile()) {
      throw new ObjectNotFoundError(path);
    }
    return { handle, info: { path, size: found.size, mtime: found.mtime } };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Some hashes of a whole file, reading ahead of the hashing threads. */
export async function hashStored(
  { handle, info }: StoredFile,
  hash: HashStream,
  signal?: AbortSignal,
): Promise<Partial<Hashes> & { size: number }> {
  for (let at = 0; at < info.size; ) {
    signal?.throwIfAborted();
    const block = await hash.block();
    const { bytesRead } = await handle.read(block.bytes, 0, Math.min(block.bytes.length, info.size - at), at);
    if (bytesRead === 0) {
      throw new ObjectTruncatedError(info.path, info.size, at);
    }
    hash.update(block, bytesRead);
    at += bytesRead;
  }
  return { ...(await hash.computed()), size: info.size };
}

async function openFile(path: string, file: string): Promise<FileHandle> {
  try {
    return await open(file, 'r');
  } catch (error) {
    throw hasCode(error, 'ENOENT', 'ENOTDIR') ? new ObjectNotFoundError(path, { cause: error }) : error;
  }
}
