/** AcceptImage: an account says that it wants what is shared with it. */
import { ApiError } from '#lib/api/errors/api-error.ts';
import { accept, entriesReaching } from '#lib/manifest/acl.ts';
import type { Service } from '../../service/service.ts';
import { causeOf } from '../events/event.ts';
import { type ChangeRequest, changeImage } from '../record/change.ts';
import type { StoredImage } from '../record/load.ts';

/**
 * Holds until the share ends; once more is no error. That there is a share is looked at in the record that is written, so that
 * of an owner who ends it at the same moment and the account one comes after the other.
 * @throws 404, 422 NotImageOwner for an image that is public, 422 ImageNotShared for one's own
 */
export function acceptShare(service: Service, request: ChangeRequest, account: string): Promise<StoredImage> {
  return changeImage(
    service,
    request,
    (record, { relation }) => {
      if (relation !== 'sharee') {
        throw new ApiError('ImageNotShared', `image "${record.uuid}" is not shared with account "${account}"`);
      }
      const accepted = accept(record, account);
      if (accepted === record) return undefined;
      const entries = [...entriesReaching(record, account)];
      const cause = causeOf({ account, requestId: request.requestId });
      return { record: accepted, also: [], cause, happened: [{ kind: 'accept', details: { entries } }] };
    },
    { allowSharees: true },
  );
}
