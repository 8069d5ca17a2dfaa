/**
 * Bytes for an upload that survives its connection. They come from the offset on that all earlier ones reach, and an offset
 * is told only once what is before it is durable: after every piece of some size or some seconds, and when the request ends,
 * however it does. The request that brings the last byte has the file compared and placed.
 */
import type { Readable } from 'node:stream';
import { ApiError } from '#lib/api/errors/api-error.ts';
import { isHeld, LeaseKeeper, LeaseLostError, newLease } from '#lib/documents/lease.ts';
import { updateObject } from '#lib/documents/update.ts';
import { imageObjectPath } from '#lib/manifest/object-paths.ts';
import type { FileRecord, ImageRecord } from '#lib/manifest/record.ts';
import type { WriteSession } from '#lib/objects/object-store.ts';
import { orClosed } from '#lib/objects/or-closed.ts';
import type { Service } from '../../service/service.ts';
import { assertStillOpen } from '../files/add-file.ts';
import { placeFile } from '../files/file-placement.ts';
import { idleGuard } from '../files/idle-guard.ts';
import { recordedMd5 } from '../files/late-md5.ts';
import { assertAsAnnounced, quotaFor, storageProblem } from '../files/upload.ts';
import type { ChangeRequest } from '../record/change.ts';
import type { StoredImage } from '../record/load.ts';
import { prefixOf, sessionOf, UPLOAD_SESSIONS, type UploadDocument } from './model.ts';
import { holdRoom, releaseRoom } from './room.ts';
import { Slices } from './slices.ts';
import { findUpload, removeStaged, uploadBusy, uploadNotFound } from './uploads.ts';

const LEASE_SECONDS = 120;
const RENEWALS = 4;

export interface Appending {
  readonly id: string;
  /** Where the bytes begin. */
  readonly offset: number;
  readonly source: () => Readable;
}

/** The image, once it has its file; else how many bytes are safe. */
export type Appended = { readonly image: StoredImage } | { readonly upload: UploadDocument };

/** What errors of the bytes name. */
const TARGET = { what: 'file0', mismatch: 'Upload', allowEmpty: false } as const;

/**
 * @throws 404; 409 UploadInProgress, UploadOffsetMismatch; 400 Upload; 403 QuotaExceeded; 507 InsufficientStorage; and
 * what placing a file throws
 */
export async function appendToUpload(
  service: Service,
  request: ChangeRequest,
  record: ImageRecord,
  appending: Appending,
  signal: AbortSignal,
): Promise<Appended> {
  const upload = await claim(service, record, appending);
  const attempt = new Attempt(service, upload);
  try {
    const { account, replaced } = await quotaFor(service, request, 'file');
    await holdRoom(service, {
      owner: upload.owner,
      ...{ account, bytes: upload.size - replaced },
      ...{ upload: prefixOf(upload), session: sessionOf(upload, upload.attempt) },
    });
    return await carry(service, request, attempt, appending.source, AbortSignal.any([signal, attempt.signal]));
  } finally {
    await attempt.end();
  }
}

/** The lease, and the attempt's number. @throws 404, 409 */
async function claim(service: Service, record: ImageRecord, { id, offset }: Appending): Promise<UploadDocument> {
  const { key } = await findUpload(service, record, id);
  const take = (current: UploadDocument): UploadDocument => {
    if (current.id !== id) throw uploadNotFound(record.uuid, id);
    const now = service.store.now();
    if (isHeld(current.lease, now)) throw uploadBusy(record.uuid);
    if (current.offset !== offset) throw offsetMismatch(current, offset);
    const lease = newLease(service.worker, LEASE_SECONDS, now);
    return { ...current, lease, attempt: current.attempt + 1, rev: current.rev + 1 };
  };
  const claimed = await updateObject(service.store, UPLOAD_SESSIONS, key, take);
  if (!claimed) throw uploadNotFound(record.uuid, id);
  return claimed.value;
}

/** One request's hold on an upload. */
class Attempt {
  readonly #service: Service;
  readonly #keeper: LeaseKeeper;
  #upload: UploadDocument;
  #isOver = false;

  constructor(service: Service, upload: UploadDocument) {
    this.#service = service;
    this.#upload = upload;
    this.#keeper = new LeaseKeeper({
      clock: service.store,
      everyMs: (LEASE_SECONDS * 1000) / RENEWALS,
      lease: () => this.#upload.lease,
      renew: () => this.note({}),
      onMissed: (err) => service.log.warn({ err, image: upload.image }, 'could not renew the lease of an upload'),
    });
  }

  get upload(): UploadDocument {
    return this.#upload;
  }

  /** Aborts when the upload was given up, or belongs to another request. */
  get signal(): AbortSignal {
    return this.#keeper.signal;
  }

  /** Writes down what has changed. @throws LeaseLostError */
  async note(change: Partial<Pick<UploadDocument, 'offset' | 'staged' | 'touched'>>): Promise<void> {
    const { store, worker } = this.#service;
    const lease = newLease(worker, LEASE_SECONDS, store.now());
    await this.#write((own) => ({ ...own, ...change, lease, rev: own.rev + 1 }));
  }

  /** Lets go of the upload, unless it is over or another's. */
  async end(): Promise<void> {
    await this.#keeper.end();
    if (this.#isOver) return;
    await this.#write(({ lease: _, ...own }) => ({ ...own, rev: own.rev + 1 })).catch((err: unknown) => {
      if (err instanceof LeaseLostError) return;
      this.#service.log.warn(
        { err, image: this.#upload.image },
        'could not end the lease of an upload; it will expire',
      );
    });
  }

  /** The upload is over. What is staged is for the caller to remove. */
  async close(): Promise<void> {
    await this.#keeper.end();
    this.#isOver = true;
    const { store, log } = this.#service;
    const { image, id } = this.#upload;
    const found = await store.get(UPLOAD_SESSIONS, image);
    if (found?.value.id !== id) return;
    await store
      .batch([{ op: 'del', bucket: UPLOAD_SESSIONS, key: image, ifEtag: found.etag }], { frees: true })
      .catch((err: unknown) => log.warn({ err, image }, 'could not remove an upload that is over; it will expire'));
  }

  async #write(change: (own: UploadDocument) => UploadDocument): Promise<void> {
    const { image, id, attempt } = this.#upload;
    const written = await updateObject(this.#service.store, UPLOAD_SESSIONS, image, (current) => {
      if (current.id !== id || current.attempt !== attempt) throw lost();
      return change(current);
    });
    if (!written) throw lost();
    this.#upload = written.value;
  }
}

function lost(): LeaseLostError {
  return new LeaseLostError('the upload was given up, or another request goes on with it');
}

async function carry(
  service: Service,
  request: ChangeRequest,
  attempt: Attempt,
  source: () => Readable,
  signal: AbortSignal,
): Promise<Appended> {
  const session = await openSession(service, attempt, signal);
  try {
    await receive(service, attempt, session, source(), signal);
    if (session.size < attempt.upload.size) {
      await session.close();
      return { upload: attempt.upload };
    }
    return { image: await finish(service, request, attempt, session) };
  } catch (error) {
    if (attempt.signal.aborted) {
      await session.discard().catch(() => undefined);
      throw new ApiError('UploadInProgress', 'the upload was given up, or another request goes on with it', {
        cause: error,
      });
    }
    await session.close().catch((err: unknown) => service.log.warn({ err }, 'could not close what was staged'));
    throw error;
  }
}

/** With the bytes that are safe. From now on the earlier session is not needed. */
async function openSession(service: Service, attempt: Attempt, signal: AbortSignal): Promise<WriteSession> {
  const { upload } = attempt;
  const { offset, staged, size } = upload;
  const storage = service.storages.named(upload.stor);
  let session: WriteSession;
  try {
    session = await storage.open({
      path: imageObjectPath(upload.image, 'file0'),
      session: sessionOf(upload, upload.attempt),
      ...{ expect: size, limit: size, signal },
      ...(staged !== undefined && { takeOver: { session: staged, upTo: offset } }),
    });
  } catch (error) {
    throw storageProblem(TARGET, { contentLength: size }, error);
  }
  return orClosed(session, async () => {
    const has = session.size;
    await session.flush();
    await attempt.note({ staged: session.session, offset: has }).catch(async (error: unknown) => {
      await session.discard();
      throw error;
    });
    if (staged !== undefined) await storage.discard(staged);
    if (has === offset) return session;
    service.log.warn({ image: upload.image, offset, staged: has }, 'staged bytes of an upload are missing');
    throw offsetMismatch(attempt.upload, offset);
  });
}

/** Whatever ends it, what has come is safe and noted. */
async function receive(
  service: Service,
  attempt: Attempt,
  session: WriteSession,
  source: Readable,
  signal: AbortSignal,
): Promise<void> {
  const seconds = service.config.uploads.idleSeconds;
  const guard = idleGuard(signal, seconds * 1000);
  const slices = new Slices(source);
  const keep = async (): Promise<void> => {
    const offset = await session.flush();
    await attempt.note({ offset, touched: service.store.now() });
    await service.faults.reach('upload:kept');
  };
  try {
    while (!slices.hasEnded) {
      await session.append(guard.watch(slices.next()), { signal: guard.signal, disposable: true });
      await keep();
    }
  } catch (error) {
    if (!attempt.signal.aborted) await keep();
    if (guard.hasStalled()) {
      throw new ApiError('Upload', `no bytes of file0 arrived for ${seconds} s`, { cause: error });
    }
    if (signal.aborted) throw new ApiError('Upload', 'file0 was cut off', { cause: error });
    throw storageProblem(TARGET, { contentLength: attempt.upload.size }, error);
  } finally {
    guard.stop();
    slices.end();
  }
}

/** Bytes that are not what was announced are dropped, with the upload. */
async function finish(
  service: Service,
  request: ChangeRequest,
  attempt: Attempt,
  session: WriteSession,
): Promise<StoredImage> {
  const { upload } = attempt;
  const { size, sha1, compression, stor, dataset_guid: guid } = upload;
  const hashes = await session.hashes();
  try {
    assertAsAnnounced(TARGET, { sha1, contentLength: size }, session.size, hashes);
  } catch (error) {
    await attempt.close();
    await session.discard();
    await removeStaged(service, upload);
    throw error;
  }
  const file: FileRecord = {
    ...{ sha1: hashes.sha1, sha256: hashes.sha256, size, ...recordedMd5(hashes) },
    mtime: new Date(service.store.now()).toISOString(),
    ...{ stor, compression, ...(guid !== undefined && { dataset_guid: guid }) },
  };
  const { uuid } = request;
  const image = await placeFile(service, { uuid, by: request, session, file, kind: 'file', guard: assertStillOpen });
  await attempt.close();
  await releaseRoom(service, upload.owner, prefixOf(upload));
  return image;
}

function offsetMismatch({ offset, image }: UploadDocument, given: number): ApiError {
  const message = `the upload to image "${image}" goes on at byte ${offset}, not at ${given}`;
  return new ApiError('UploadOffsetMismatch', message, { headers: { 'Upload-Offset': String(offset) } });
}
