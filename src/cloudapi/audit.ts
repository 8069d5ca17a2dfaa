/** What the log records: each request, and each change of who has access to an image. */
import { type AuditFields, type AuditOptions, shown } from '../http-kit/audit.ts';
import { type Call, nameOf } from './call.ts';
import type { Cloudapi } from './service.ts';

export const cloudapiAudit: AuditOptions<Call> = {
  unlogged: new Set(['Ping', 'Healthz']),
  describe(fields: AuditFields, { query, identity }: Call) {
    fields['action'] = shown(query['action']);
    fields['account'] = shown(query['account']);
    fields['user'] = identity && nameOf(identity);
    fields['application'] = identity?.application;
  },
};

export type ShareChange = 'share' | 'unshare' | 'leave' | 'accept' | 'acl';

/** @param entries of the ACL, as they were typed */
export function auditShare({ log }: Cloudapi, call: Call, change: ShareChange, entries: unknown): void {
  const { imageId: image, remoteAddress: remote, requestId } = call;
  const { caller, subUser, account } = call.principal;
  log.info(
    {
      audit: 'share',
      ...{
        change,
        image,
        entries,
        account: account.uuid,
        login: account.login,
        by: nameOf({ account: caller, ...(subUser && { subUser }) }),
        remote,
      },
      req_id: requestId,
    },
    'access to an image changed',
  );
}
