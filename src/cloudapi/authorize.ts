/** Lets a sub-user do only what the policies of its account say. Accounts themselves may do everything of theirs. */
import type { Role } from '#lib/accounts/accounts.ts';
import { NEW_IMAGES } from '#lib/api/cloudapi/new-images.ts';
import type { Operation } from '#lib/api/operation.ts';
import type { Facts } from '#lib/policies/rule.ts';
import type { Handler } from '../http-kit/call.ts';
import type { Call } from './call.ts';
import { notAllowed } from './errors.ts';
import { fullPath, isWhole, resourceOf } from './resource.ts';
import { tagsOn } from './role-tags.ts';
import type { Cloudapi } from './service.ts';

/**
 * Wraps the handler of an operation: it runs if the sub-user that asks may do this, and the answer that shows a resource
 * has its role tags as the header `Role-Tag`.
 * @param name of the operation, which in lower case is the action of policies
 */
export function underPolicies(cloudapi: Cloudapi, handler: Handler<Call>, row: Operation, name: string): Handler<Call> {
  const isShown = row.method === 'GET' && isWhole(row);
  const actions = actionsOf(row, name);
  return async (call) => {
    const { account, subUser } = call.principal;
    if (!subUser && !isShown) return handler(call);
    const resource = resourceOf(row, call);
    // An account without roles has no tags, and nobody is asked for them.
    const known = await cloudapi.accounts.rolesOf(account.uuid);
    const tags = known.length > 0 ? await tagsOn(cloudapi, call, resource) : [];
    assertAllowed(cloudapi, call, actions, resource, tags);
    const reply = await handler(call);
    const names = isShown ? known.filter(({ uuid }) => tags.includes(uuid)).map(inHeader) : [];
    return names.length === 0 ? reply : { ...reply, headers: { 'Role-Tag': names.join(','), ...reply.headers } };
  };
}

/** Tagging is one action, whatever is tagged. */
const TAGGING = 'setroletags';

/**
 * What policies may call an operation. Triton's CloudAPI has one name for all that is done with a route, by which policies
 * were written before the operations had names of their own.
 */
export function actionsOf({ route, path, method }: Operation, name: string): readonly string[] {
  if (method === 'PUT') return [name.toLowerCase(), TAGGING];
  const older = path === NEW_IMAGES.CreateImageFromMachine.path && method === 'POST' ? 'CreateImageFromMachine' : route;
  return [name, ...(older === undefined || older === name ? [] : [older])].map((action) => action.toLowerCase());
}

/** Headers hold ASCII alone. */
function inHeader({ name }: Role): string {
  return /^[ -~]+$/.test(name) ? name : encodeURIComponent(name);
}

/**
 * The answer is the same for what the account does not have, so that nobody learns what there is.
 * @param actions any of which has to be allowed
 * @param resource without the account
 * @param tags UUIDs of the roles on it
 * @throws 403 NotAuthorized
 */
export function assertAllowed(
  cloudapi: Cloudapi,
  call: Call,
  actions: readonly string[],
  resource: string,
  tags: readonly string[],
): void {
  const { account, subUser } = call.principal;
  if (!subUser) return;
  const path = fullPath(account.login, resource);
  const facts = factsOf(cloudapi, call);
  const isAllowed = actions.some((action) => {
    return cloudapi.policies.allow(subUser.roles, tags, { action, resource: path, facts });
  });
  if (!isAllowed) throw notAllowed(path, actions[0] ?? '');
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
