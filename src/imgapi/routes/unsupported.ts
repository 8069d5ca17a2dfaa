/**
 * ExportImage and AdminChangeImageStor where local files are the only object store: all their checks, then the answer
 * that IMGAPI has always given without Manta.
 */
import { normalize } from 'node:path/posix';
import { ApiError, invalidParameter, validationFailed } from '#lib/api/errors/api-error.ts';
import type { ACTIONS } from '#lib/api/imgapi/actions.ts';
import type { QueryOf } from '#lib/api/operation.ts';
import { assertNotPlaceholder } from '../../images/record/access.ts';
import { serializeImage } from '../../images/record/serialize.ts';
import type { Service } from '../../service/service.ts';
import type { Call, Reply } from '../call.ts';
import { readableImage, writableImage } from '../image-call.ts';

/** @throws 503 StorageUnsupported, after all checks of the request itself */
export async function exportImage(
  service: Service,
  call: Call,
  query: QueryOf<typeof ACTIONS.ExportImage>,
): Promise<Reply> {
  const { value: record } = await writableImage(service, call);
  assertNotPlaceholder(record);
  const { manta_path: path } = query;
  if (!/^\/[^/.]/.test(normalize(path))) {
    throw invalidParameter('manta_path', `manta_path is "${path}"; it must begin with /LOGIN/`);
  }
  if (!record.files?.length) throw new ApiError('ResourceNotFound', `image "${record.uuid}" has no file to export`);
  throw new ApiError('StorageUnsupported', 'export needs Manta storage, and there is none here');
}

/** There is one store, so a valid request needs no move. @throws 403, 422 */
export async function changeStorage(
  service: Service,
  call: Call,
  query: QueryOf<typeof ACTIONS.AdminChangeImageStor>,
): Promise<Reply> {
  if (call.query['account'] !== undefined) throw new ApiError('OperatorOnly', 'action "change-stor" is for operators');
  const { value: record } = await readableImage(service, call);
  assertNotPlaceholder(record);
  const { stor } = query;
  if (!service.storages.find(stor)) {
    throw validationFailed('stor', `stor is "${stor}"; there is ${service.storages.names.join(', ')}`);
  }
  if (record.icon) throw new ApiError('NotImplemented', `image "${record.uuid}" has an icon and cannot be moved`);
  if (!record.files?.length) throw new ApiError('ResourceNotFound', `image "${record.uuid}" has no file to move`);
  const { mode } = service.config;
  return { json: serializeImage(record, { version: 2, mode, viewer: 'full', inclAdminFields: true }) };
}
