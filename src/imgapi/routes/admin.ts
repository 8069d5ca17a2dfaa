/** What operators ask of the service itself: cleaning up, reading stored files again, and whose a login is. */
import { isUuid } from '#lib/text/uuid.ts';
import { ApiError, invalidParameter } from '../../../lib/api/errors/api-error.ts';
import type { ImageSource } from '../../datacenters/sources/source.ts';
import { knownDatacenters, sourceFor } from '../../datacenters/sources/sources.ts';
import { flag, parameters } from '../../http-kit/parameters.ts';
import { cleanUp } from '../../maintenance/clean-up.ts';
import { repairFile } from '../../maintenance/repair.ts';
import { verifyFiles } from '../../maintenance/verify.ts';
import type { Service } from '../../service/service.ts';
import type { Call, Reply, Route } from '../call.ts';
import { assertLocalOperator } from '../local-operator.ts';

export function adminRoutes(service: Service): Route[] {
  async function reap(call: Call): Promise<Reply> {
    await assertLocalOperator(service, call);
    const { dry_run: dryRun = false, staging: eager = false } = reapQuery(call.query);
    return { json: await cleanUp(service, { dryRun, eager, signal: call.signal }) };
  }

  async function verify(call: Call): Promise<Reply> {
    await assertLocalOperator(service, call);
    const { repair = false } = verifyQuery(call.query);
    const uuids = uuidsOf(call);
    const sources = repair ? await allSources(service) : [];
    return {
      lines: verifyFiles(service, {
        ...(uuids ? { uuids } : {}),
        ...(repair ? { repair: (stored, file) => repairFile(service, sources, stored, file, call.signal) } : {}),
        signal: call.signal,
      }),
    };
  }

  async function getAccount(call: Call): Promise<Reply> {
    await assertLocalOperator(service, call);
    const { login = '' } = call.params;
    const account = await service.accounts?.byLogin(login);
    if (account) return { json: { uuid: account.uuid, login: account.login } };
    const why = service.accounts ? 'there is no such account' : `there are no accounts in ${service.config.mode} mode`;
    throw new ApiError('ResourceNotFound', `account ${JSON.stringify(login)} not found: ${why}`);
  }

  return [
    { name: 'AdminGetAccount', method: 'GET', path: '/admin/accounts/:login', auth: 'operator', handler: getAccount },
    { name: 'AdminReap', method: 'POST', path: '/admin/reap', auth: 'operator', handler: reap },
    { name: 'AdminVerify', method: 'POST', path: '/admin/verify', auth: 'operator', handler: verify },
  ];
}

const reapQuery = parameters({ dry_run: flag, staging: flag });
const verifyQuery = parameters({ repair: flag });

function uuidsOf({ query }: Call): string[] | undefined {
  const { uuid } = query;
  if (uuid === undefined) return undefined;
  const uuids = typeof uuid === 'string' ? [uuid] : [...uuid];
  const bad = uuids.find((value) => !isUuid(value));
  if (bad !== undefined) throw invalidParameter('uuid', `uuid is "${bad}"; it must be a lower-case UUID`);
  return uuids;
}

async function allSources(service: Service): Promise<ImageSource[]> {
  const sources: ImageSource[] = [];
  for (const name of await knownDatacenters(service)) {
    const source = await sourceFor(service, name);
    if (source) sources.push(source);
  }
  return sources;
}
