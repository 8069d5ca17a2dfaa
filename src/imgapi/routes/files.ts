/** AddImageFile, AddImageFileFromUrl, GetImageFile. */

import { imageObjectPath } from '#lib/manifest/object-paths.ts';
import { COMPRESSIONS, type Compression, type ImageRecord } from '#lib/manifest/record.ts';
import type { ObjectStore } from '#lib/objects/object-store.ts';
import { ApiError, invalidParameter } from '../../../lib/api/errors/api-error.ts';
import { type FetchedFile, fileAt, fileFrom } from '../../datacenters/sources/fetched.ts';
import { readFileUrl } from '../../datacenters/sources/source-url.ts';
import { datasetGuid, parameters, sha1Text } from '../../http-kit/parameters.ts';
import { addFile, assertFilesMutable } from '../../images/files/add-file.ts';
import { withFileAsRecorded } from '../../images/files/file-placement.ts';
import type { Announced } from '../../images/files/upload.ts';
import type { Service } from '../../service/service.ts';
import type { Call, Reply, Route } from '../call.ts';
import { fileReply } from '../file-reply.ts';
import { changeRequest, imageReply, readableImage, writableImage } from '../image-call.ts';

export function fileRoutes(service: Service): Route[] {
  async function add(call: Call): Promise<Reply> {
    const { value: record } = await writableImage(service, call);
    assertFilesMutable(record);
    return call.query['source'] === undefined ? addBody(call, record) : addFromSource(call, record);
  }

  async function addBody(call: Call, record: ImageRecord): Promise<Reply> {
    const compression = compressionOf(call);
    const file = {
      compression,
      storage: storageFor(service, call, record),
      ...guidOf(call),
      announced: announcedBy(call),
    };
    const request = changeRequest(service, call);
    return imageReply(service, call, await addFile(service, request, file, () => call.body, call.signal));
  }

  async function addFromSource(call: Call, record: ImageRecord): Promise<Reply> {
    const storage = storageFor(service, call, record);
    const remote = await fileFrom(service, operatorSource(call), record.uuid, call.signal);
    const file = {
      compression: remote.compression,
      storage,
      ...(remote.datasetGuid === undefined ? {} : { datasetGuid: remote.datasetGuid }),
      announced: { contentLength: remote.size, sha1: remote.sha1 },
      allowEmpty: true,
    };
    return store(call, file, remote);
  }

  async function addFromUrl(call: Call): Promise<Reply> {
    const { value: record } = await writableImage(service, call);
    assertFilesMutable(record);
    const compression = compressionOf(call);
    const body = await call.json();
    const url = (body as { file_url?: unknown } | undefined)?.file_url;
    if (url === undefined) throw invalidParameter('file_url', 'the body must have a "file_url"', 'Missing');
    assertOperator(call, 'file_url');
    const httpsUrl = readFileUrl(url);
    const storage = storageFor(service, call, record);
    const { sha1 } = announcedBy(call);
    const remote = await fileAt(service, httpsUrl, call.signal);
    const announced = known({ sha1, contentLength: remote.size });
    return store(call, { compression, storage, ...guidOf(call), announced }, remote);
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

  async function get(call: Call): Promise<Reply> {
    const { value: record } = await withFileAsRecorded(service, await readableImage(service, call));
    const index = indexOf(call);
    const { files = [] } = record;
    const file = files[index];
    if (files.length === 0) throw new ApiError('ResourceNotFound', `image "${record.uuid}" has no file`);
    if (!file) throw new ApiError('ResourceNotFound', `image "${record.uuid}" has no file at index ${index}`);
    return fileReply(call, {
      storage: service.storages.named(file.stor),
      path: imageObjectPath(record.uuid, index === 0 ? 'file0' : 'file1'),
      size: file.size,
      sha1: file.sha1,
      md5: file.contentMD5,
      mtime: file.mtime,
      contentType: 'application/octet-stream',
    });
  }

  return [
    { name: 'AddImageFile', method: 'PUT', path: '/images/:uuid/file', auth: 'strict', handler: add },
    {
      name: 'AddImageFileFromUrl',
      method: 'POST',
      path: '/images/:uuid/file/from-url',
      auth: 'strict',
      handler: addFromUrl,
    },
    { name: 'GetImageFile', method: 'GET', path: '/images/:uuid/file', auth: 'passive', handler: get },
  ];
}

const uploadQuery = parameters({ sha1: sha1Text, dataset_guid: datasetGuid });

/** What the request says of the bytes in its body. */
export function announcedBy(call: Call): Announced {
  const { sha1 } = uploadQuery(call.query);
  const length = call.headers['content-length'];
  const md5 = call.headers['content-md5'];
  return known({
    sha1,
    contentLength: length === undefined ? undefined : Number(length),
    contentMd5: typeof md5 === 'string' ? md5 : undefined,
  });
}

function known(announced: { [K in keyof Announced]?: Announced[K] | undefined }): Announced {
  return Object.fromEntries(Object.entries(announced).filter(([, value]) => value !== undefined));
}

function guidOf(call: Call): { datasetGuid?: string } {
  const { dataset_guid: guid } = uploadQuery(call.query);
  return guid === undefined ? {} : { datasetGuid: guid };
}

/** @throws 422 compression/Missing, compression/Invalid */
function compressionOf({ query }: Call): Compression {
  const { compression } = query;
  const choice = `one of ${COMPRESSIONS.join(', ')}`;
  if (compression === undefined)
    throw invalidParameter('compression', `say how the file is compressed: ${choice}`, 'Missing');
  const found = COMPRESSIONS.find((name) => name === compression);
  if (found) return found;
  throw invalidParameter('compression', `compression is ${JSON.stringify(compression)}; it must be ${choice}`);
}

function storageFor({ storages }: Service, { query, account }: Call, record: ImageRecord): ObjectStore {
  return storages.forUpload(record.owner, { storage: query['storage'], account });
}

/** Sources are for operators: for anybody else the service would fetch what they cannot reach themselves. */
function assertOperator(call: Call, what: string): void {
  if (call.account !== undefined)
    throw new ApiError('OperatorOnly', `${what} is for operators; upload the bytes instead`);
}

function operatorSource(call: Call): string {
  assertOperator(call, 'source');
  const { source } = call.query;
  if (typeof source === 'string') return source;
  throw invalidParameter('source', 'source must be one URL');
}

/** What is no number is the first file, as it always was. */
function indexOf({ query }: Call): number {
  const { index } = query;
  return typeof index === 'string' && /^-?\d+$/.test(index) ? Number(index) : 0;
}
