/**
 * Which write sessions belong to uploads under way, in all processes that share these stores. The sweeper asks here
 * before it removes staging; an entry whose lease has run out belongs to a process that died.
 */
import type Logger from 'bunyan';
import { isHeldBy } from '#lib/documents/lease.ts';
import type { Bucket, WithStore } from '#lib/documents/store.ts';
import type { WriteSession } from '#lib/objects/object-store.ts';

/** What the register needs of the service. */
interface Uploader extends WithStore {
  readonly worker: string;
  readonly log: Logger;
}

interface UploadEntry {
  readonly image: string;
  readonly worker: string;
  /** Milliseconds since the epoch. */
  readonly until: number;
}

export const UPLOADS: Bucket<UploadEntry> = {
  name: 'imgapi_uploads',
  version: 1,
  index: { until: { type: 'number' } },
};

const LEASE_MS = 120_000;

/**
 * Opens a write session for bytes of the image and registers it as an upload while `use` works on it. No staging is left
 * behind, whatever happens.
 */
export async function staging<T>(
  service: Uploader,
  { image, session }: { readonly image: string; readonly session: string },
  open: (session: string) => Promise<WriteSession>,
  use: (writer: WriteSession) => Promise<T>,
): Promise<T> {
  const release = await registerUpload(service, session, image);
  try {
    const writer = await open(session);
    try {
      return await use(writer);
    } finally {
      await writer.discard();
    }
  } finally {
    await release();
  }
}

/**
 * Keeps the entry alive until the returned function is called. Not by a `LeaseKeeper`, which ends the work when its lease
 * has run out: nobody else takes an upload over, so it goes on, and registers again when the store is back.
 */
export async function registerUpload(service: Uploader, session: string, image: string): Promise<() => Promise<void>> {
  const put = (): Promise<unknown> => {
    const value: UploadEntry = { image, worker: service.worker, until: service.store.now() + LEASE_MS };
    return service.store.batch([{ op: 'put', bucket: UPLOADS, key: session, value }]);
  };
  await put();
  const timer = setInterval(() => {
    put().catch((error: unknown) =>
      service.log.warn({ err: error, session }, 'could not renew the lease of an upload'),
    );
  }, LEASE_MS / 4);
  return async () => {
    clearInterval(timer);
    await service.store
      .batch([{ op: 'del', bucket: UPLOADS, key: session }])
      .catch((error: unknown) =>
        service.log.warn({ err: error, session }, 'could not remove the entry of an upload; it will expire'),
      );
  };
}

/** Whether bytes of the image are on their way, to whichever process. */
export async function isUploading({ store }: WithStore, image: string): Promise<boolean> {
  for await (const entries of store.scan(UPLOADS, {})) {
    const now = store.now();
    if (entries.some(({ value }) => value.image === image && isHeldBy(value.worker, value.until, LEASE_MS, now))) {
      return true;
    }
  }
  return false;
}

/** Those of `among` that belong to live uploads. Removes the entries of dead uploads on the way. */
export async function uploadSessions(service: Uploader, among: ReadonlySet<string>): Promise<Set<string>> {
  const held = new Set<string>();
  for await (const entries of service.store.scan(UPLOADS, {})) {
    // Read the clock after the entries: a lease renewed in between would otherwise seem to end later than a lease can.
    const now = service.store.now();
    const dead = entries.filter(({ value }) => !isHeldBy(value.worker, value.until, LEASE_MS, now));
    await service.store
      .batch(dead.map(({ key, etag }) => ({ op: 'del', bucket: UPLOADS, key, ifEtag: etag })))
      .catch((error: unknown) => service.log.warn({ err: error }, 'could not remove the entries of dead uploads'));
    for (const { key, value } of entries) {
      if (among.has(key) && isHeldBy(value.worker, value.until, LEASE_MS, now)) held.add(key);
    }
  }
  return held;
}
