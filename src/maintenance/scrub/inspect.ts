/** Reads one stored file again, no faster than it should be read, and says what is wrong with it. */
import { createHash } from 'node:crypto';
import { imageObjectPath, objectName, type Which } from '#lib/manifest/object-paths.ts';
import { type FileRecord, type IconRecord, type ImageRecord, objectRecord } from '#lib/manifest/record.ts';
import {
  InvalidRangeError,
  ObjectNotFoundError,
  ObjectStoreUnavailableError,
  ObjectTruncatedError,
} from '#lib/objects/errors.ts';
import type { ObjectStore } from '#lib/objects/object-store.ts';
import { Throttle } from '../../copies/transfer/bandwidth.ts';
import type { Fault } from '../../images/files/findings.ts';
import { promptIdentity } from '../../service/answering-storages.ts';
import type { Service } from '../../service/service.ts';

/** `unknown`: nothing can be said now, as while the store is down. */
export type Inspection = 'good' | 'unknown' | Fault;

/** For all files that are read one after another. @param rate bytes per second; 0: as fast as it goes */
export function pace({ bytesPerSecond }: { readonly bytesPerSecond: number }): Throttle {
  const throttle = new Throttle();
  throttle.rate = bytesPerSecond === 0 ? undefined : bytesPerSecond;
  return throttle;
}

export async function inspect(
  service: Service,
  record: ImageRecord,
  which: Which,
  throttle: Throttle,
  signal: AbortSignal,
): Promise<Inspection> {
  const file = objectRecord(record, which);
  const storage = file && service.storages.find(file.stor);
  if (!file || !storage) return 'unknown';
  const path = imageObjectPath(record.uuid, objectName(which));
  const found = await look(storage, path, file, throttle, signal);
  if (found === 'good' || found === 'unknown') return found;
  // A store that is not there as a whole is no finding about a file.
  if (!(await answers(storage))) return 'unknown';
  // A read may go wrong on its way; a file is wrong that is so twice.
  return look(storage, path, file, throttle, signal);
}

async function look(
  storage: ObjectStore,
  path: string,
  file: FileRecord | IconRecord,
  throttle: Throttle,
  signal: AbortSignal,
): Promise<Inspection> {
  try {
    const info = await storage.info(path);
    if (!info) return { status: 'missing', message: `${path} is missing`, isServed: false };
    const sizes = `${path} has ${info.size} bytes, not ${file.size}`;
    if (info.size < file.size) return { status: 'size', message: sizes, isServed: false };
    const wrong = await wrongHash(storage, path, file, throttle, signal);
    if (wrong !== undefined) return { status: 'hash', message: `${path} has ${wrong}`, isServed: false };
    return info.size === file.size ? 'good' : { status: 'size', message: sizes, isServed: true };
  } catch (error) {
    signal.throwIfAborted();
    // It was replaced or moved just now.
    if (GONE.some((type) => error instanceof type)) return 'unknown';
    if (!(error instanceof ObjectStoreUnavailableError)) throw error;
    // Readers are told by the store itself, and perhaps it can give the bytes again.
    return (await answers(storage))
      ? { status: 'missing', message: `${path} cannot be read: ${error.message}`, isServed: true }
      : 'unknown';
  }
}

const GONE = [ObjectNotFoundError, ObjectTruncatedError, InvalidRangeError];

/** The hash that is not that of the record, if there is one. Bytes beyond the recorded size do not count: nobody gets them. */
async function wrongHash(
  storage: ObjectStore,
  path: string,
  file: FileRecord | IconRecord,
  throttle: Throttle,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { size } = file;
  const hashes = (['sha1', 'sha256'] as const).flatMap((name) => {
    // Icons have no sha256, and records of old ones no sha1 either.
    const right = (file as Partial<FileRecord>)[name];
    return right === undefined ? [] : [{ name, right, hash: createHash(name) }];
  });
  if (size > 0) {
    const { stream } = await storage.read(path, { end: size - 1, signal });
    try {
      for await (const piece of throttle.limit(stream, signal)) {
        for (const { hash } of hashes) hash.update(piece);
        stream.recycle?.(piece);
      }
    } finally {
      stream.destroy();
    }
  }
  for (const { name, right, hash } of hashes) {
    const is = hash.digest('hex');
    if (is !== right) return `${name} ${is}, not ${right}`;
  }
  return undefined;
}

async function answers(storage: ObjectStore): Promise<boolean> {
  return promptIdentity(storage).then(
    () => true,
    () => false,
  );
}
