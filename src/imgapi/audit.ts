/** What the log records of a request to IMGAPI. */
import { type AuditFields, type AuditOptions, shown } from '../http-kit/audit.ts';
import type { Call } from './call.ts';

export const imgapiAudit: AuditOptions<Call> = {
  unlogged: new Set(['Ping', 'Healthz', 'Docs', 'Favicon']),
  describe(fields: AuditFields, { query, user, tokenOf, datacenter }: Call) {
    fields['action'] = shown(query['action']);
    fields['account'] = shown(query['account']);
    fields['user'] = user ?? tokenOf;
    fields['datacenter'] = datacenter;
  },
};
