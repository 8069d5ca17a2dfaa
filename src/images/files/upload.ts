/**
 * Receiving the bytes of a file or icon: they are staged, hashed, checked against what was announced, then placed. Bytes
 * that fail a check never get a name.
 */

import type { Readable } from 'node:stream';
import { ApiError } from '#lib/api/errors/api-error.ts';
import { InsufficientStorageError, ObjectStoreUnavailableError, TooLargeError } from '#lib/objects/errors.ts';
import type { ObjectStore, SessionHashes, WriteSession } from '#lib/objects/object-store.ts';
import { newUuid } from '#lib/text/uuid.ts';
import type { Service } from '../../service/service.ts';
import { replacedBytes, reserving, type Upload } from '../quotas/reservation.ts';
import type { ChangeRequest } from '../record/change.ts';
import { loadRaw } from '../record/load.ts';
import { idleGuard } from './idle-guard.ts';
import { staging } from './upload-register.ts';

/** What the client says about the bytes to come. */
export interface Announced {
  readonly contentLength?: number;
  /** Lower-case hex. */
  readonly sha1?: string;
  /** Base64. */
  readonly contentMd5?: string;
}

export interface UploadTarget {
  readonly uuid: string;
  /** `file0` or `icon`; used in the session's name and in messages. */
  readonly what: string;
  readonly storage: ObjectStore;
  readonly path: string;
  /** Maximum size in bytes. */
  readonly limit: number;
  /** Error code for bytes that are not as announced. */
  readonly mismatch: 'Upload' | 'Download';
  readonly allowEmpty: boolean;
  /** Whether the MD5 may be computed later: nobody announced one. */
  readonly lateMd5?: boolean;
  /** Whose quota the bytes count for, who sends them, and how many they replace. */
  readonly quota: Pick<Upload, 'owner' | 'account' | 'replaced'>;
}

/** What checks need to know. */
type Checked = Pick<UploadTarget, 'what' | 'mismatch' | 'allowEmpty'>;

export interface Received {
  readonly session: WriteSession;
  readonly size: number;
  readonly hashes: SessionHashes;
}

/**
 * Stages the stream, checks it, and hands the session to `use`, which places it. No staging is left behind, whatever
 * happens. `source` is called once there is room for the bytes, and not at all if they are refused beforehand.
 * @throws 400 Upload (too large), 400 Upload or Download (mismatch, empty, cut short), 403 QuotaExceeded,
 * 507 InsufficientStorage
 */
export async function receive<T>(
  service: Service,
  target: UploadTarget,
  source: () => Readable,
  announced: Announced,
  signal: AbortSignal,
  use: (received: Received) => Promise<T>,
): Promise<T> {
  assertSize(target, announced.contentLength);
  const upload = { image: target.uuid, session: `upload.${target.uuid}.${target.what}.${newUuid()}` };
  const open = (session: string): Promise<WriteSession> => openSession(target, session, announced);
  const reserved = { ...target.quota, session: upload.session, announced: announced.contentLength };
  return reserving(service, reserved, (metered) =>
    staging(service, upload, open, async (writer) => {
      await append(service, target, announced, writer, metered(source()), signal);
      const hashes = await writer.hashes();
      assertAsAnnounced(target, announced, writer.size, hashes);
      await writer.flush();
      return use({ session: writer, size: writer.size, hashes });
    }),
  );
}

/** How an upload to the image counts. */
export async function quotaFor(
  service: Service,
  { uuid, viewer, chargedTo = viewer.account }: ChangeRequest,
  kind: 'file' | 'icon',
): Promise<UploadTarget['quota']> {
  const record = (await loadRaw(service, uuid))?.value;
  return { owner: record?.owner, account: chargedTo, replaced: record ? replacedBytes(record, kind) : 0 };
}

function assertSize({ limit, what }: UploadTarget, contentLength: number | undefined): void {
  if (contentLength === undefined || contentLength <= limit) return;
  throw new ApiError('Upload', `${what} has ${contentLength} bytes; at most ${limit} are allowed`);
}

async function openSession(target: UploadTarget, session: string, announced: Announced): Promise<WriteSession> {
  try {
    return await target.storage.open({
      path: target.path,
      session,
      limit: mostBytes(target, announced),
      once: true,
      ...(target.lateMd5 && { lateMd5: true }),
      ...(announced.contentLength !== undefined && { expect: announced.contentLength }),
    });
  } catch (error) {
    throw storageProblem(target, announced, error);
  }
}

/** Whoever announced a size and sends on for ever is cut off there, and not at the greatest size that a file may have. */
function mostBytes({ limit }: UploadTarget, { contentLength = limit }: Announced): number {
  return Math.min(limit, contentLength);
}

async function append(
  service: Service,
  target: UploadTarget,
  announced: Announced,
  writer: WriteSession,
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  const guard = idleGuard(signal, service.config.uploads.idleSeconds * 1000);
  try {
    await writer.append(guard.watch(source), { signal: guard.signal, disposable: true });
  } catch (error) {
    if (guard.hasStalled()) {
      const seconds = service.config.uploads.idleSeconds;
      throw new ApiError(target.mismatch, `no bytes of ${target.what} arrived for ${seconds} s`, { cause: error });
    }
    if (signal.aborted) throw new ApiError(target.mismatch, `${target.what} was cut off`, { cause: error });
    throw storageProblem(target, announced, error);
  } finally {
    guard.stop();
  }
}

export function storageProblem(target: Checked, { contentLength }: Announced, error: unknown): unknown {
  // Its connection may be reset as well as the client's.
  if (error instanceof ObjectStoreUnavailableError) return error;
  if (error instanceof TooLargeError) {
    const message = `${target.what} has more than ${error.limit} bytes`;
    const code = error.limit === contentLength ? target.mismatch : 'Upload';
    return new ApiError(code, code === 'Upload' ? message : `${message}, which were announced`, { cause: error });
  }
  if (error instanceof InsufficientStorageError) {
    return new ApiError('InsufficientStorage', `the object store has no room for ${target.what}: ${error.message}`, {
      cause: error,
    });
  }
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  if (code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE') {
    return new ApiError(target.mismatch, `${target.what} was cut off`, { cause: error });
  }
  return error;
}

export function assertAsAnnounced(target: Checked, announced: Announced, size: number, hashes: SessionHashes): void {
  const { what, mismatch } = target;
  if (size === 0 && !target.allowEmpty) throw new ApiError(mismatch, `${what} is empty`);
  if (announced.contentLength !== undefined && announced.contentLength !== size) {
    throw new ApiError(mismatch, `${what}: Content-Length is ${announced.contentLength}, but ${size} bytes arrived`);
  }
  if (announced.sha1 !== undefined && announced.sha1 !== hashes.sha1) {
    throw new ApiError(mismatch, `${what}: sha1 should be ${announced.sha1}, but the bytes have ${hashes.sha1}`);
  }
  if (announced.contentMd5 !== undefined && announced.contentMd5 !== hashes.md5) {
    throw new ApiError(
      mismatch,
      `${what}: Content-MD5 should be ${announced.contentMd5}, but the bytes have ${hashes.md5}`,
    );
  }
}
