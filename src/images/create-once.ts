/**
 * A request to create an image that may come twice, because the answer to the first was lost: its key says that it is the
 * same one. The UUID is made of the owner and the key, so the store itself, in which a UUID is that of one record, sees to it that there
 * are never two, whichever processes the requests reach. Nobody can choose a key that leads to an image of somebody else.
 */
import { ApiError } from '#lib/api/errors/api-error.ts';
import { shown } from '#lib/manifest/problem.ts';
import { uuidOfNames } from '#lib/text/uuid.ts';
import type { Service } from '../service/service.ts';
import { mayChange, type Viewer } from './record/access.ts';
import type { StoredImage } from './record/load.ts';
import type { Manifest } from './record/new-record.ts';
import { currentRecord } from './record/tombstones.ts';

export interface OnceRequest {
  readonly viewer: Viewer;
  /** Of the client. */
  readonly key: string;
  /** With its owner. */
  readonly manifest: Manifest;
  /** @throws 409 ImageUuidAlreadyExists */
  readonly create: (uuid: string) => Promise<StoredImage>;
}

/** As it is now, if it was created before. @throws 400 InvalidHeader, 409 ImageUuidAlreadyExists */
export async function createOnce(service: Service, request: OnceRequest): Promise<StoredImage> {
  const { viewer, key, manifest, create } = request;
  const uuid = uuidOfNames('create-image', String(manifest['owner']), key);
  const createdBefore = async (): Promise<StoredImage | undefined> => {
    const stored = await currentRecord(service, uuid, viewer);
    if (stored) assertSame(stored, request);
    return stored;
  };
  const before = await createdBefore();
  if (before) return before;
  try {
    return await create(uuid);
  } catch (error) {
    const isLate = error instanceof ApiError && error.code === 'ImageUuidAlreadyExists';
    const meanwhile = isLate ? await createdBefore() : undefined;
    if (!meanwhile) throw error;
    return meanwhile;
  }
}

function assertSame({ value: { uuid, name, version }, value }: StoredImage, { viewer, manifest }: OnceRequest): void {
  if (!mayChange(value, viewer)) throw new ApiError('ImageUuidAlreadyExists', `image "${uuid}" already exists`);
  if (manifest['name'] === name && manifest['version'] === version) return;
  const other = `${shown(name)} of version ${shown(version)}, image "${uuid}"`;
  throw new ApiError('InvalidHeader', `Idempotency-Key was sent for ${other}; send another key for another image`);
}
