/** Copies one object of an image to another store, and lets the record look for it there. */

import { imageObjectPath } from '#lib/manifest/object-paths.ts';
import type { FileRecord, IconRecord, ImageRecord } from '#lib/manifest/record.ts';
import {
  InvalidRangeError,
  ObjectNotFoundError,
  ObjectStoreUnavailableError,
  ObjectTruncatedError,
} from '#lib/objects/errors.ts';
import type { ObjectStore, WriteSession } from '#lib/objects/object-store.ts';
import { pause } from '#lib/runtime/timers.ts';
import { newUuid } from '#lib/text/uuid.ts';
import type { Service } from '../../service/service.ts';
import { placeFile } from '../files/file-placement.ts';
import { fileDamaged, storedObject } from '../files/stored-object.ts';
import { registerUpload } from '../files/upload-register.ts';
import type { ChangeRequest } from '../record/change.ts';
import { loadRaw } from '../record/load.ts';
import type { HeldMove } from './move-note.ts';

export type MovingObject = { readonly name: 'file0' | 'file1' | 'icon' } & (
  | { readonly kind: 'file'; readonly index: number; readonly file: FileRecord }
  | { readonly kind: 'icon'; readonly file: IconRecord }
);

/** The image got other bytes while these were being copied. */
export class ObjectReplacedError extends Error {
  override readonly name = 'ObjectReplacedError';
}

export interface ObjectMove {
  readonly request: ChangeRequest;
  /** The image is deleted and can still be restored. */
  readonly isDeleted: boolean;
  readonly object: MovingObject;
  readonly target: ObjectStore;
  readonly move: HeldMove;
  /** Ends the work; the staged bytes stay for whoever goes on. */
  readonly signal: AbortSignal;
}

/** A store that is away for a moment must not cost the bytes that are there already. */
const MOST_TRIES = 6;
const FIRST_PAUSE_MS = 500;

/** @throws ObjectReplacedError; 404, 503 FileDamaged; what `placeFile` does */
export async function moveObject(service: Service, given: ObjectMove): Promise<void> {
  try {
    await moveOnce(service, given);
  } catch (error) {
    const { object, request, signal } = given;
    if (signal.aborted) throw error;
    // Whatever went wrong with bytes that are not the image's any more counts for nothing.
    assertSame((await loadRaw(service, request.uuid))?.value, object);
    throw UNREADABLE.some((type) => error instanceof type)
      ? fileDamaged(nameOf(request, object), messageOf(error), error)
      : error;
  }
}

const UNREADABLE = [ObjectNotFoundError, ObjectTruncatedError, InvalidRangeError];

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** @throws ObjectReplacedError */
function assertSame(record: ImageRecord | undefined, object: MovingObject): void {
  const now = object.kind === 'icon' ? record?.icon : record?.files?.[object.index];
  if (now?.sha1 === object.file.sha1 && now.stor === object.file.stor) return;
  throw new ObjectReplacedError(
    `${object.name} of image "${record?.uuid ?? ''}" was replaced while it was being moved`,
  );
}

function nameOf({ uuid }: ChangeRequest, { name }: MovingObject): string {
  return `${name} of image "${uuid}"`;
}

async function moveOnce(service: Service, given: ObjectMove): Promise<void> {
  const { request, object, target, move, signal } = given;
  const { uuid } = request;
  const { file, name } = object;
  const path = imageObjectPath(uuid, name);
  const source = service.storages.named(file.stor);
  await storedObject(service.log, { storage: source, path, size: file.size, what: nameOf(request, object) });
  const session = `move.${uuid}.${name}.${newUuid()}`;
  const unregister = await registerUpload(service, session, uuid);
  try {
    const earlier = move.staged?.path === path ? move.staged.session : undefined;
    const writer = await openStaging(target, { path, session, earlier, size: file.size, signal });
    try {
      await move.stage({ session, path });
      if (earlier !== undefined) await target.discard(earlier);
      await fill(service, { source, path, size: file.size, writer, signal });
      await assertAsRecorded(writer, file, nameOf(request, object));
      await writer.flush();
      signal.throwIfAborted();
      await place(service, given, writer);
    } catch (error) {
      await (signal.aborted ? writer.flush() : writer.discard()).catch((err: unknown) =>
        service.log.warn({ err, image: uuid }, 'staging of a move is left as it is'),
      );
      throw error;
    } finally {
      await writer.close();
    }
  } finally {
    await unregister();
  }
}

interface Staging {
  readonly path: string;
  readonly session: string;
  /** A session whose bytes are taken over. */
  readonly earlier: string | undefined;
  readonly size: number;
  readonly signal: AbortSignal;
}

function openStaging(target: ObjectStore, { earlier, size, ...options }: Staging): Promise<WriteSession> {
  const isTakenOver = earlier !== undefined && target.capabilities.supportsTakeOver;
  return target.open({
    ...options,
    expect: size,
    limit: size,
    ...(isTakenOver && { takeOver: { session: earlier, upTo: size } }),
  });
}

interface Filling {
  readonly source: ObjectStore;
  readonly path: string;
  readonly size: number;
  readonly writer: WriteSession;
  readonly signal: AbortSignal;
}

async function fill(service: Service, filling: Filling): Promise<void> {
  const { writer, size, signal } = filling;
  let failures = 0;
  while (writer.size < size) {
    const before = writer.size;
    try {
      await append(service, filling);
    } catch (error) {
      failures = writer.size > before ? 1 : failures + 1;
      if (signal.aborted || !(error instanceof ObjectStoreUnavailableError) || failures === MOST_TRIES) throw error;
      service.log.info(
        { err: error, session: writer.session, bytes: writer.size },
        'a move broke off; it goes on from there',
      );
      await pause(FIRST_PAUSE_MS * 2 ** failures, signal);
    }
  }
}

async function append(service: Service, { source, path, size, writer, signal }: Filling): Promise<void> {
  const { stream } = await source.read(path, { start: writer.size, end: size - 1, signal });
  try {
    await writer.append(watched(service, stream), { signal, disposable: true });
  } finally {
    stream.destroy();
  }
}

async function* watched(service: Service, stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const piece of stream) {
    yield piece;
    await service.faults.reach('move:copying');
  }
}

/** @throws 503 FileDamaged */
async function assertAsRecorded(writer: WriteSession, file: FileRecord | IconRecord, what: string): Promise<void> {
  const { sha1, sha256, md5 } = await writer.hashes();
  const recorded = { sha1: file.sha1, md5: file.contentMD5, ...('sha256' in file && { sha256: file.sha256 }) };
  for (const [name, found] of Object.entries({ sha1, md5, sha256 })) {
    const right = recorded[name as keyof typeof recorded];
    if (right !== undefined && right !== found) {
      throw fileDamaged(what, `its bytes have ${name} ${found}, not ${right}`);
    }
  }
}

async function place(
  service: Service,
  { request, isDeleted, object, target: { name: stor } }: ObjectMove,
  session: WriteSession,
): Promise<void> {
  const { uuid } = request;
  const guard = (record: ImageRecord): void => assertSame(record, object);
  const common = { uuid, ...(isDeleted ? { isDeleted } : { by: request }), session, guard };
  await (object.kind === 'icon'
    ? placeFile(service, { ...common, kind: 'icon', file: { ...object.file, stor } })
    : placeFile(service, { ...common, kind: 'file', index: object.index, file: { ...object.file, stor } }));
  await service.faults.reach('move:recorded');
}
