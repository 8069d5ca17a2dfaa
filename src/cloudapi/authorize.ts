/** Lets a sub-user do only what the policies of its account say. Accounts themselves may do everything of theirs. */
import type { Operation } from '#lib/api/operation.ts';
import type { Facts } from '#lib/policies/rule.ts';
import type { Handler } from '../http-kit/call.ts';
import type { Call } from './call.ts';
import { notAllowed } from './errors.ts';
import { fullPath, resourceOf } from './resource.ts';
import { tagsOn } from './role-tags.ts';
import type { Cloudapi } from './service.ts';

/** Wraps the handler of an operation. @param name of the operation, which in lower case is the action of policies */
export function forSubUsers(cloudapi: Cloudapi, handler: Handler<Call>, row: Operation, name: string): Handler<Call> {
  return async (call) => {
    await assertAllowed(cloudapi, call, name, resourceOf(row, call));
    return handler(call);
  };
}

/**
 * The answer is the same for what the account does not have, so that nobody learns what there is.
 * @param resource without the account
 * @throws 403 NotAuthorized
 */
export async function assertAllowed(cloudapi: Cloudapi, call: Call, name: string, resource: string): Promise<void> {
  const { account, subUser } = call.principal;
  if (!subUser) return;
  const action = name.toLowerCase();
  const path = fullPath(account.login, resource);
  const attempt = { action, resource: path, facts: factsOf(cloudapi, call) };
  const { roles } = subUser;
  const tags = roles.length > 0 ? await tagsOn(cloudapi, call, resource) : [];
  if (!cloudapi.policies.allow(roles, tags, attempt)) throw notAllowed(path, action);
}

function factsOf({ clock, config, clientAddress }: Cloudapi, call: Call): Facts {
  const now = new Date(clock.now());
  const { 'user-agent': userAgent } = call.headers;
  const sourceip = clientAddress(call);
  return {
    ...{ date: now, day: now, time: now, method: call.method.toLowerCase() },
    ...{ datacenter: config.datacenterName, fromjob: false },
    ...(sourceip !== undefined && { sourceip }),
    ...(userAgent !== undefined && { 'user-agent': userAgent }),
  };
}
