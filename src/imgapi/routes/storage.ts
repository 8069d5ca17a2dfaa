/**
 * ExportImage and AdminChangeImageStor where local files are the only object store: all their checks, then the answer
 * that IMGAPI has always given without Manta.
 */
import { normalize } from 'node:path/posix';
import { ApiError, invalidParameter, validationFailed } from '#lib/api/errors/api-error.ts';
import type { ACTIONS } from '#lib/api/imgapi/actions.ts';
import type { QueryOf } from '#lib/api/operation.ts';
import type { Moves } from '../../images/moving/moves.ts';
import { assertNotPlaceholder } from '../../images/record/access.ts';
import { serializeImage } from '../../images/record/serialize.ts';
import type { Service } from '../../service/service.ts';
import type { Call, Reply } from '../call.ts';
import { changeRequest, readableImage, writableImage } from '../image-call.ts';

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

/** Answers when all objects of the image lie in the other store. A client that leaves does not end the move. */
export async function changeStorage(
  service: Service,
  call: Call,
  query: QueryOf<typeof ACTIONS.AdminChangeImageStor>,
  moves: Moves,
): Promise<Reply> {
  if (call.query['account'] !== undefined) throw new ApiError('OperatorOnly', 'action "change-stor" is for operators');
  assertNotPlaceholder((await readableImage(service, call)).value);
  const { stor } = query;
  const target = service.storages.find(stor);
  if (!target) throw validationFailed('stor', `stor is "${stor}"; there is ${service.storages.names.join(', ')}`);
  const moved = await moves.move(changeRequest(service, call), target, call.signal);
  const { mode } = service.config;
  return { json: serializeImage(moved.value, { version: 2, mode, viewer: 'full', inclAdminFields: true }) };
}
