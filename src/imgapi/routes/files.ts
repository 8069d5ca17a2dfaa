/** AddImageFile, AddImageFileFromUrl, GetImageFile. */

import { ApiError, invalidParameter } from '#lib/api/errors/api-error.ts';
import type { FILES } from '#lib/api/imgapi/files.ts';
import type { QueryOf } from '#lib/api/operation.ts';
import { imageObjectPath } from '#lib/manifest/object-paths.ts';
import type { ImageRecord } from '#lib/manifest/record.ts';
import type { ObjectStore } from '#lib/objects/object-store.ts';
import { type FetchedFile, fileAt, fileFrom } from '../../datacenters/sources/fetched.ts';
import { readFileUrl } from '../../datacenters/sources/source-url.ts';
import type { Handlers } from '../../http-kit/operations.ts';
import { addFile, assertFilesMutable } from '../../images/files/add-file.ts';
import { openingFile } from '../../images/files/file-as-recorded.ts';
import { withFileAsRecorded } from '../../images/files/file-placement.ts';
import { assertNotQuarantined } from '../../images/files/findings.ts';
import { md5OfFile, readOnce } from '../../images/files/late-md5.ts';
import type { Announced } from '../../images/files/upload.ts';
import { ordererOf } from '../../machines/find-jobs.ts';
import type { Service } from '../../service/service.ts';
import { accelRedirect } from '../accel-redirect.ts';
import type { Call, Reply } from '../call.ts';
import { fileReply } from '../file-reply.ts';
import { changeRequest, imageReply, readableImage, writableImage } from '../image-call.ts';

type UploadQuery = QueryOf<typeof FILES.AddImageFileFromUrl>;

export function fileHandlers(service: Service): Handlers<typeof FILES, Call> {
  const redirect = accelRedirect(service);

  function storageFor({ account }: Call, { storage }: UploadQuery, record: ImageRecord): ObjectStore {
    return service.storages.forUpload(record.owner, { storage, account });
  }

  async function addBody(call: Call, query: UploadQuery, record: ImageRecord): Promise<Reply> {
    const { compression } = query;
    const storage = storageFor(call, query, record);
    const announced = announcedBy(call, query);
    const file = { compression, storage, ...guidOf(query), announced };
    // A node brings what an account has ordered from its machine.
    const chargedTo = call.account ?? (await ordererOf(service, record.uuid));
    const request = { ...changeRequest(service, call), chargedTo };
    return imageReply(service, call, await addFile(service, request, file, () => call.body, call.signal));
  }

  async function addFromSource(call: Call, query: QueryOf<typeof FILES.AddImageFile>, record: ImageRecord) {
    const storage = storageFor(call, query, record);
    assertOperator(call, 'source');
    const { source } = query;
    if (typeof source !== 'string') throw invalidParameter('source', 'source must be one URL');
    const remote = await fileFrom(service, source, record.uuid, call.signal);
    const file = {
      compression: remote.compression,
      storage,
      ...(remote.datasetGuid !== undefined && { datasetGuid: remote.datasetGuid }),
      announced: { contentLength: remote.size, sha1: remote.sha1 },
      allowEmpty: true,
    };
    return store(call, file, remote);
  }

  async function store(call: Call, file: Parameters<typeof addFile>[2], remote: FetchedFile): Promise<Reply> {
    try {
      const stored = await addFile(service, changeRequest(service, call), file, () => remote.stream, call.signal);
      return await imageReply(service, call, stored);
    } catch (error) {
      throw remote.problem(error);
    } finally {
      remote.stream.destroy();
    }
  }

  async function readFile(call: Call, record: ImageRecord, index: number): Promise<Reply> {
    const { uuid, files = [], activated } = record;
    const file = files[index];
    if (files.length === 0) throw new ApiError('ResourceNotFound', `image "${uuid}" has no file`);
    if (!file) throw new ApiError('ResourceNotFound', `image "${uuid}" has no file at index ${index}`);
    assertNotQuarantined(record, index);
    return fileReply(call, {
      storage: service.storages.named(file.stor),
      path: imageObjectPath(uuid, index === 0 ? 'file0' : 'file1'),
      size: file.size,
      sha1: file.sha1,
      md5: () => md5OfFile(service, record, index, call.signal),
      mtime: file.mtime,
      contentType: 'application/octet-stream',
      // Before its activation an image may get another file at any moment.
      ...(activated && { redirect }),
    });
  }

  return {
    async AddImageFile(call, query) {
      const { value: record } = await writableImage(service, call);
      assertFilesMutable(record);
      return query.source === undefined ? addBody(call, query, record) : addFromSource(call, query, record);
    },

    async AddImageFileFromUrl(call, query, body) {
      const { value: record } = await writableImage(service, call);
      assertFilesMutable(record);
      const { compression } = query;
      const { file_url: url } = await body();
      assertOperator(call, 'file_url');
      const httpsUrl = readFileUrl(url);
      const storage = storageFor(call, query, record);
      const { sha1 } = announcedBy(call, query);
      const remote = await fileAt(service, httpsUrl, call.signal);
      const announced = known({ sha1, contentLength: remote.size });
      return store(call, { compression, storage, ...guidOf(query), announced }, remote);
    },

    async GetImageFile(call, query) {
      const index = indexOf(query);
      let found = await withFileAsRecorded(service, await readableImage(service, call));
      // It may have been replaced meanwhile, by one that nobody has read either.
      while (await readOnce(service, found.value, index, call.signal)) found = await readableImage(service, call);
      const record = found.value;
      return openingFile(service, record, index, (current) => readFile(call, current, index));
    },
  };
}

/** What the request says about the bytes in its body. */
export function announcedBy({ headers }: Call, { sha1 }: Pick<UploadQuery, 'sha1'>): Announced {
  const length = headers['content-length'];
  const md5 = headers['content-md5'];
  return known({
    sha1: sha1?.toLowerCase(),
    contentLength: length === undefined ? undefined : Number(length),
    contentMd5: typeof md5 === 'string' ? md5 : undefined,
  });
}

function known(announced: { [K in keyof Announced]?: Announced[K] | undefined }): Announced {
  return Object.fromEntries(Object.entries(announced).filter(([, value]) => value !== undefined));
}

function guidOf({ dataset_guid: datasetGuid }: UploadQuery): { datasetGuid?: string } {
  return { ...(datasetGuid !== undefined && { datasetGuid }) };
}

/** Only operators, because others could make the service fetch what they cannot reach themselves. */
function assertOperator(call: Call, what: string): void {
  if (call.account !== undefined) {
    throw new ApiError('OperatorOnly', `${what} is for operators; upload the bytes instead`);
  }
}

/** What begins with a number counts as that number, and anything else means the first file, as in today's IMGAPI. */
function indexOf({ index }: QueryOf<typeof FILES.GetImageFile>): number {
  return Number.parseInt(String(index), 10) || 0;
}
