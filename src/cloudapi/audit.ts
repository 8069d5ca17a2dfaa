/** What the log records: each request, and who gave access to which image to whom, whatever else is logged. */
import { type AuditFields, type AuditOptions, shown } from '../http-kit/audit.ts';
import type { Call } from './call.ts';
import type { Request } from './request.ts';

export const cloudapiAudit: AuditOptions<Call> = {
  unlogged: new Set(['Ping', 'Healthz']),
  describe(fields: AuditFields, { query, identity }: Call) {
    fields['action'] = shown(query['action']);
    fields['account'] = shown(query['account']);
    fields['user'] = identity;
  },
};

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
