/** ExportImage and AdminChangeImageStor: an image goes to other places. */
import { normalize } from 'node:path/posix';
import { ApiError, invalidParameter, validationFailed } from '#lib/api/errors/api-error.ts';
import type { ACTIONS } from '#lib/api/imgapi/actions.ts';
import type { QueryOf } from '#lib/api/operation.ts';
import { exportedFile, exportStore, exportImage as exportToManta } from '../../images/export.ts';
import type { Moves } from '../../images/moving/moves.ts';
import { assertNotPlaceholder } from '../../images/record/access.ts';
import { imageEtag, serializeImage } from '../../images/record/serialize.ts';
import type { Service } from '../../service/service.ts';
import type { Call, Reply } from '../call.ts';
import { assertCondition, changeRequest, readableImage, writableImage } from '../image-call.ts';

/** What stops an export is found out before anything is written; whose the path is comes last, as it always has. */
export async function exportImage(
  service: Service,
  call: Call,
  query: QueryOf<typeof ACTIONS.ExportImage>,
): Promise<Reply> {
  const { value: record } = await writableImage(service, call);
  assertNotPlaceholder(record);
  const { manta_path: given } = query;
  const path = normalize(given).replace(/\/$/, '');
  if (!/^\/[^/.]/.test(path)) {
    throw invalidParameter('manta_path', `manta_path is "${given}"; it must begin with /LOGIN/`);
  }
  exportStore(service);
  exportedFile(record);
  await assertPathOwner(service, call, path);
  const exported = await exportToManta(service, record, path, call.signal);
  return { json: { manta_url: service.config.manta?.url ?? '', ...exported } };
}

/** Operators may write for anybody. @throws 422 AccountDoesNotExist, NotMantaPathOwner */
async function assertPathOwner({ accounts }: Service, { account }: Call, path: string): Promise<void> {
  if (account === undefined) return;
  const login = (await accounts?.byUuid(account))?.login;
  if (login === undefined) throw new ApiError('AccountDoesNotExist', `account "${account}" does not exist`);
  if (path.split('/')[1] === login) return;
  throw new ApiError('NotMantaPathOwner', `manta_path is "${path}"; account "${login}" exports below /${login}/`);
}

/** Answers when all objects of the image lie in the other store. A client that leaves does not end the move. */
export async function changeStorage(
  service: Service,
  call: Call,
  query: QueryOf<typeof ACTIONS.AdminChangeImageStor>,
  moves: Moves,
): Promise<Reply> {
  const stored = await readableImage(service, call);
  if (call.query['account'] !== undefined) throw new ApiError('OperatorOnly', 'action "change-stor" is for operators');
  assertCondition(service, call, stored);
  assertNotPlaceholder(stored.value);
  const { stor } = query;
  const target = service.storages.find(stor);
  if (!target) throw validationFailed('stor', `stor is "${stor}"; there is ${service.storages.names.join(', ')}`);
  const moved = await moves.move(changeRequest(service, call), target, call.signal);
  const { mode } = service.config;
  const json = serializeImage(moved.value, { version: 2, mode, viewer: 'full', inclAdminFields: true });
  return { json, headers: { Etag: imageEtag(json) } };
}
