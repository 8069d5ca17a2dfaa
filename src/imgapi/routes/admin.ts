/** Administration: cleaning up, verifying stored files, the background tasks, and who holds a login. */

import { ApiError, invalidParameter } from '#lib/api/errors/api-error.ts';
import type { ADMIN } from '#lib/api/imgapi/admin.ts';
import { isUuid } from '#lib/text/uuid.ts';
import type { Handlers } from '../../http-kit/operations.ts';
import { listFindings } from '../../images/files/findings.ts';
import { cleanUp } from '../../maintenance/clean-up.ts';
import { repairFile } from '../../maintenance/repair.ts';
import { repairSources } from '../../maintenance/repair-sources.ts';
import { orderPass } from '../../maintenance/scrub/state.ts';
import { taskStatuses } from '../../maintenance/tasks/status.ts';
import { serviceTasks } from '../../maintenance/tasks/table.ts';
import { verifyFiles } from '../../maintenance/verify.ts';
import { migrate } from '../../migrations/migrate.ts';
import { listMigrations } from '../../migrations/orders.ts';
import type { Service } from '../../service/service.ts';
import type { Call } from '../call.ts';

export function adminHandlers(service: Service): Handlers<typeof ADMIN, Call> {
  return {
    async AdminGetAccount(call) {
      const { login = '' } = call.params;
      const account = await service.accounts?.byLogin(login);
      if (account) return { json: { uuid: account.uuid, login: account.login } };
      const why = service.accounts
        ? 'there is no such account'
        : `there are no accounts in ${service.config.mode} mode`;
      throw new ApiError('ResourceNotFound', `account ${JSON.stringify(login)} not found: ${why}`);
    },

    async AdminReap(call, { dry_run: dryRun = false, staging: eager = false }) {
      return { json: await cleanUp(service, { dryRun, eager, signal: call.signal }) };
    },

    async AdminMigrate(_call, { kind = '', to = '', from, dry_run: dryRun = false, offline: isOffline = false }) {
      return { json: await migrate(service, { kind, to, dryRun, isOffline, ...(from !== undefined && { from }) }) };
    },

    async AdminListMigrations() {
      return { json: await listMigrations(service.store) };
    },

    async AdminVerify(call, { repair = false, uuid }) {
      const uuids = uuidsOf(uuid);
      const slow = new Set<string>();
      return {
        lines: verifyFiles(service, {
          ...(uuids && { uuids }),
          ...(repair && {
            async repair(stored, which) {
              const sources = await repairSources(service, stored, which);
              return repairFile(service, sources, stored, which, { signal: call.signal, slow });
            },
          }),
          signal: call.signal,
        }),
      };
    },

    async AdminScrub() {
      return { json: await orderPass(service) };
    },

    async AdminListFindings() {
      return { json: await listFindings(service) };
    },

    async ListTasks(call) {
      if (call.account !== undefined) throw new ApiError('OperatorOnly', 'the list of tasks is for operators');
      return { json: await taskStatuses(service.store, serviceTasks(service)) };
    },
  };
}

function uuidsOf(uuid: string | readonly string[] | undefined): readonly string[] | undefined {
  if (uuid === undefined) return undefined;
  const uuids = typeof uuid === 'string' ? [uuid] : uuid;
  const bad = uuids.find((value) => !isUuid(value));
  if (bad !== undefined) throw invalidParameter('uuid', `uuid is "${bad}"; it must be a lower-case UUID`);
  return uuids;
}
