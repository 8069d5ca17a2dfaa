/** Uploads that survive their connection. */
import { ApiError, invalidParameter } from '#lib/api/errors/api-error.ts';
import type { UPLOADS } from '#lib/api/imgapi/uploads.ts';
import { PARTIAL_UPLOAD } from '#lib/api/partial-upload.ts';
import { mediaType } from '#lib/text/media-types.ts';
import type { Handlers } from '../../http-kit/operations.ts';
import { pathOf } from '../../http-kit/request-head.ts';
import { assertFilesMutable } from '../../images/files/add-file.ts';
import { appendToUpload } from '../../images/uploads/append.ts';
import type { UploadDocument } from '../../images/uploads/model.ts';
import { beginUpload, findUpload, giveUpUpload, shownUpload } from '../../images/uploads/uploads.ts';
import { ordererOf } from '../../machines/find-jobs.ts';
import type { Service } from '../../service/service.ts';
import type { Call, Reply } from '../call.ts';
import { changeRequest, imageReply, writableImage } from '../image-call.ts';

export function uploadHandlers(service: Service): Handlers<typeof UPLOADS, Call> {
  async function openImage(call: Call) {
    const { value: record } = await writableImage(service, call);
    assertFilesMutable(record);
    return record;
  }

  async function request(call: Call, uuid: string) {
    // A node brings what an account has ordered from its machine.
    const chargedTo = call.account ?? (await ordererOf(service, uuid));
    return { ...changeRequest(service, call), chargedTo };
  }

  return {
    async BeginImageUpload(call, { compression, storage, sha1, dataset_guid: datasetGuid }) {
      const record = await openImage(call);
      const size = bytesIn(call, 'Upload-Length');
      if (size === 0) throw invalidParameter('Upload-Length', 'Upload-Length is 0; a file has at least one byte');
      if (sha1 === undefined) {
        const message = 'give the sha1 of the file: by it an upload is found again, and compared when it is whole';
        throw invalidParameter('sha1', message, 'MissingParameter');
      }
      const { upload, isNew } = await beginUpload(service, await request(call, record.uuid), record, {
        ...{ size, sha1: sha1.toLowerCase(), compression },
        storage: service.storages.forUpload(record.owner, { storage, account: call.account }),
        ...(datasetGuid !== undefined && { datasetGuid }),
      });
      const headers = { ...headersOf(upload), Location: `${pathOf(call.url)}/${upload.id}` };
      return { status: isNew ? 201 : 200, json: shownUpload(service, upload), headers };
    },

    async GetImageUpload(call) {
      const record = await openImage(call);
      const { value: upload } = await findUpload(service, record, idIn(call));
      return { json: shownUpload(service, upload), headers: headersOf(upload) };
    },

    async AppendImageUpload(call): Promise<Reply> {
      const record = await openImage(call);
      assertPartial(call);
      const appending = { id: idIn(call), offset: bytesIn(call, 'Upload-Offset'), source: () => call.body };
      const by = await request(call, record.uuid);
      const appended = await appendToUpload(service, by, record, appending, call.signal);
      if ('upload' in appended) return { status: 204, headers: headersOf(appended.upload) };
      const reply = await imageReply(service, call, appended.image);
      return { ...reply, headers: { ...reply.headers, 'Upload-Complete': '?1' } };
    },

    async CancelImageUpload(call) {
      const { value: record } = await writableImage(service, call);
      await giveUpUpload(service, record, idIn(call));
      return { status: 204 };
    },
  };
}

function idIn({ params }: Call): string {
  return params['upload'] ?? '';
}

/** As of any PATCH: what a part of something else would mean is not known. @throws 415 */
function assertPartial({ headers }: Call): void {
  const given = headers['content-type'];
  if (mediaType(given) === PARTIAL_UPLOAD) return;
  const shown = given ? `is ${JSON.stringify(given)}` : 'is missing';
  throw new ApiError('UnsupportedMediaType', `Content-Type ${shown}; parts of a file are sent as ${PARTIAL_UPLOAD}`, {
    headers: { 'Accept-Patch': PARTIAL_UPLOAD },
  });
}

function headersOf({ offset, size }: UploadDocument): Record<string, string> {
  return {
    'Upload-Offset': String(offset),
    'Upload-Length': String(size),
    'Upload-Complete': '?0',
    'Cache-Control': 'no-store',
  };
}

/** @throws 422 */
function bytesIn({ headers }: Call, name: 'Upload-Length' | 'Upload-Offset'): number {
  const given = headers[name.toLowerCase()];
  if (given === undefined) throw invalidParameter(name, `the header ${name} is missing`, 'MissingParameter');
  if (typeof given === 'string' && /^\d{1,15}$/.test(given)) return Number(given);
  throw invalidParameter(name, `${name} is ${JSON.stringify(given)}; it must be a whole number of bytes`);
}
