/**
 * Compares what is stored of a file or icon with its record before anybody relies on it. Other programs and broken disks
 * truncate files or make them longer: a reader never gets more than the record says, and gets an error if there is less.
 */
import type Logger from 'bunyan';
import { ApiError } from '#lib/api/errors/api-error.ts';
import type { ObjectInfo, ObjectStore } from '#lib/objects/object-store.ts';

export interface RecordedObject {
  readonly storage: ObjectStore;
  readonly path: string;
  /** Bytes, as the record says. */
  readonly size: number;
  /** In the message for the reader: `file0 of image "…"`. */
  readonly what: string;
}

/** @throws 404 ResourceNotFound when nothing is stored, 503 FileDamaged when it is too short */
export async function storedObject(
  log: Pick<Logger, 'warn'>,
  { storage, path, size, what }: RecordedObject,
): Promise<ObjectInfo> {
  const info = await storage.info(path);
  const found = { stor: storage.name, object: path, recorded: size, stored: info?.size };
  if (!info) {
    log.warn(found, 'a file is missing: no bytes are stored under its name');
    throw new ApiError('ResourceNotFound', `the bytes of ${what} are missing`);
  }
  if (info.size < size) throw fileDamaged(what, `${info.size} of ${size} bytes are stored`);
  if (info.size > size) log.warn(found, 'a file is longer than its record says; the rest is not served');
  return info;
}

export function fileDamaged(what: string, problem: string, cause?: unknown): ApiError {
  return new ApiError('FileDamaged', `${what} is damaged: ${problem}`, { cause });
}
