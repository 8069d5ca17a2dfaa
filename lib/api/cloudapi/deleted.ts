/** Deleted images of the account that can still be restored. */
import { Type } from 'typebox';
import { date, uuid } from '../schemas/build.ts';
import { DeletedImage as DeletedInImgapi } from '../schemas/deleted-image.ts';
import { ACCOUNTS, accountParams, type CloudapiOperations, signed } from './form.ts';

const { uuid: _uuid, owner: _owner, deleted_at: _deleted, goes_at: _goes, ...shown } = DeletedInImgapi.properties;

const DeletedImage = Type.Object(
  {
    id: uuid(),
    ...shown,
    deleted_at: date(),
    goes_at: date('When it can be restored no longer.'),
  },
  { description: 'A deleted image of the account.' },
);

export const DELETED = {
  ListDeletedImages: {
    ...signed,
    summary:
      'Lists the deleted images of the account that can still be restored, those that go first at the beginning.',
    method: 'GET',
    path: '/:account/deletedimages',
    callers: ACCOUNTS,
    params: accountParams,
    replies: [{ status: 200, json: Type.Array(DeletedImage) }],
    errors: [],
  },
} as const satisfies CloudapiOperations;
