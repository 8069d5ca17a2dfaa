/** Brings the bytes of one file or icon into the store that it is for, checked, without a name yet. */
import { Readable } from 'node:stream';
import { ImgapiUnreachableError } from '#lib/client/errors.ts';
import { type ImageObjectName, imageObjectPath } from '#lib/manifest/object-paths.ts';
import type { FileRecord, IconRecord } from '#lib/manifest/record.ts';
import { TooLargeError, UnsupportedError } from '#lib/objects/errors.ts';
import type { ObjectStore, SessionHashes, WriteSession } from '#lib/objects/object-store.ts';
import { orClosed } from '#lib/objects/or-closed.ts';
import { pause } from '#lib/runtime/timers.ts';
import { newUuid } from '#lib/text/uuid.ts';
import { idleGuard } from '../../images/files/idle-guard.ts';
import { recordedMd5 } from '../../images/files/late-md5.ts';
import { staging, uploadSessions } from '../../images/files/upload-register.ts';
import type { Service } from '../../service/service.ts';
import { type SourceBytes, UnreadableError } from '../sources/data-source.ts';

export interface WantedObject {
  readonly uuid: string;
  readonly name: ImageObjectName;
  /** As the source has it. */
  readonly file: FileRecord | IconRecord;
  readonly storage: ObjectStore;
  readonly bytes: SourceBytes;
}

export interface StagedObject {
  readonly name: ImageObjectName;
  readonly session: WriteSession;
  /** As it is to be recorded here. */
  readonly file: FileRecord | IconRecord;
  /** Whether no byte was copied. */
  readonly isLinked: boolean;
}

/** Tries in a row that bring no byte, before the source is given up. */
const MOST_TRIES = 5;
const PAUSE_MS = 500;

/** No staging is left behind. @throws UnreadableError for bytes that are not those of the record */
export async function stageObject<T>(
  service: Service,
  wanted: WantedObject,
  signal: AbortSignal,
  use: (staged: StagedObject) => Promise<T>,
): Promise<T> {
  const { uuid, name, file, storage, bytes } = wanted;
  const path = imageObjectPath(uuid, name);
  const prefix = `import.${uuid}.${name}.`;
  let isLinked = false;
  const open = async (session: string): Promise<WriteSession> => {
    const adopted = await adopt(storage, bytes, { path, session });
    isLinked = adopted !== undefined;
    if (adopted) return adopted;
    const place = { path, session, expect: file.size, limit: file.size, signal };
    // What lies on this machine is soon read again.
    if (bytes.file !== undefined) return storage.open({ ...place, once: true });
    return openOverEarlier(service, storage, place, prefix);
  };
  return staging(service, { image: uuid, session: `${prefix}${newUuid()}` }, open, async (session) => {
    if (!isLinked) await fillOrKeep(service, session, wanted, signal);
    const hashes = await session.hashes();
    assertRight(wanted, hashes);
    await session.flush();
    return use({ name, session, isLinked, file: recorded(wanted, hashes) });
  });
}

async function adopt(
  storage: ObjectStore,
  { file }: SourceBytes,
  place: { readonly path: string; readonly session: string },
): Promise<WriteSession | undefined> {
  if (file === undefined || !storage.capabilities.supportsAdoption) return undefined;
  try {
    return await storage.adopt({ file, ...place });
  } catch (error) {
    if (error instanceof UnsupportedError) return undefined;
    throw error;
  }
}

/** With the bytes that an import had brought which was interrupted. */
async function openOverEarlier(
  service: Service,
  storage: ObjectStore,
  place: { readonly path: string; readonly session: string; readonly limit: number; readonly signal: AbortSignal },
  prefix: string,
): Promise<WriteSession> {
  if (!storage.capabilities.supportsTakeOver) return storage.open(place);
  const left = (await storage.sessions()).filter(({ session }) => session.startsWith(prefix));
  const live = await uploadSessions(service, new Set(left.map(({ session }) => session)));
  const [earlier] = left.filter(({ session }) => !live.has(session)).toSorted((a, b) => b.size - a.size);
  if (!earlier) return storage.open(place);
  const opened = await storage.open({ ...place, takeOver: { session: earlier.session, upTo: place.limit } });
  await orClosed(opened, () => storage.discard(earlier.session));
  return opened;
}

/** What has come by the time of an interruption is left for the next import, until the sweeper takes it. */
async function fillOrKeep(
  service: Service,
  session: WriteSession,
  wanted: WantedObject,
  signal: AbortSignal,
): Promise<void> {
  try {
    await fill(service, session, wanted, signal);
  } catch (error) {
    const isInterrupted = signal.aborted || error instanceof ImgapiUnreachableError;
    if (isInterrupted && wanted.bytes.file === undefined && session.size > 0) {
      await session.flush();
      await session.close();
    }
    throw error;
  }
}

/** Goes on where it was cut off, for as long as bytes come. */
async function fill(service: Service, session: WriteSession, wanted: WantedObject, signal: AbortSignal): Promise<void> {
  const { file } = wanted;
  for (let tries = 0; session.size < file.size; ) {
    const before = session.size;
    const failure = await more(service, session, wanted, signal);
    if (session.size >= file.size) break;
    tries = session.size > before ? 0 : tries + 1;
    if (tries >= MOST_TRIES) throw failure ?? wrong(wanted, `it ended after ${session.size} of ${file.size} bytes`);
    await pause(PAUSE_MS * (tries + 1), signal);
  }
  // An empty file has nothing to read, but is one all the same.
  if (file.size === 0) await session.append(Readable.from([]));
}

/** Returns why the source broke off, if it did. @throws what another try does not change */
async function more(
  service: Service,
  session: WriteSession,
  wanted: WantedObject,
  signal: AbortSignal,
): Promise<unknown> {
  const guard = idleGuard(signal, service.config.uploads.idleSeconds * 1000);
  try {
    const source = await wanted.bytes.open(session.size, guard.signal);
    await session.append(guard.watch(source), { signal: guard.signal });
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof TooLargeError) throw wrong(wanted, `more than its ${wanted.file.size} bytes came`);
    if (error instanceof UnreadableError) throw error;
    return guard.hasStalled() ? wrong(wanted, (error as Error).message) : error;
  } finally {
    guard.stop();
  }
}

function assertRight(wanted: WantedObject, hashes: SessionHashes): void {
  const { file } = wanted;
  const { sha256 } = file as FileRecord;
  if (hashes.sha1 !== file.sha1) throw wrong(wanted, `its bytes have sha1 ${hashes.sha1}, not ${file.sha1}`);
  if (sha256 !== undefined && hashes.sha256 !== sha256) {
    throw wrong(wanted, `its bytes have sha256 ${hashes.sha256}, not ${sha256}`);
  }
}

function recorded({ name, file, storage, bytes }: WantedObject, hashes: SessionHashes): FileRecord | IconRecord {
  const mtime = file.mtime ?? bytes.mtime;
  return {
    ...file,
    ...(name !== 'icon' && { sha256: hashes.sha256 }),
    ...recordedMd5(hashes),
    ...(mtime !== undefined && { mtime }),
    stor: storage.name,
  };
}

function wrong({ name }: Pick<WantedObject, 'name'>, what: string): UnreadableError {
  return new UnreadableError(`${name}: ${what}`);
}
