/** Who gave access to which image to whom: a record of its own in the log, whatever else is logged. */
import type { Request } from './request.ts';

export type ShareChange = 'share' | 'unshare' | 'leave' | 'acl';

/** @param entries as they were typed */
export function auditShare(
  { call, caller, account, cloudapi }: Request,
  change: ShareChange,
  image: string,
  entries: unknown,
): void {
  cloudapi.log.info(
    {
      audit: 'share',
      change,
      image,
      entries,
      account: account.uuid,
      login: account.login,
      by: caller.login,
      remote: call.remoteAddress,
      req_id: call.requestId,
    },
    'access to an image changed',
  );
}
