/** Role tags, by the names of roles: IMGAPI keeps them by UUID, so that a role can be renamed and none is mistaken. */
import type { Role } from '#lib/accounts/accounts.ts';
import type { Call } from './call.ts';
import { CloudapiError } from './errors.ts';
import { namesIn } from './names.ts';
import { canBeTagged, imageResource } from './resource.ts';
import type { Cloudapi } from './service.ts';

/** UUIDs of the roles that are tagged on a resource of the account. @param resource without the account */
export async function tagsOn({ imgapi }: Cloudapi, call: Call, resource: string): Promise<readonly string[]> {
  if (!canBeTagged(resource)) return [];
  return (await imgapi.getRoleTags(call.account.uuid, { ...call.asOperator, resource })).roles;
}

/** @throws 409 InvalidArgument for a role that the account does not have */
export async function rolesNamed(
  { accounts }: Cloudapi,
  call: Call,
  names: readonly string[],
): Promise<readonly Role[]> {
  const known = await accounts.rolesOf(call.account.uuid);
  const strangers = names.filter((name) => !known.some((role) => role.name === name));
  if (strangers.length > 0) {
    throw new CloudapiError('InvalidArgument', `Role(s) ${strangers.join(', ')} not found`);
  }
  return known.filter(({ name }) => names.includes(name));
}

export async function tag(
  { imgapi }: Cloudapi,
  { account, asOperator }: Call,
  resource: string,
  roles: readonly Role[],
): Promise<void> {
  await imgapi.setRoleTags(account.uuid, { roles: roles.map(({ uuid }) => uuid) }, { ...asOperator, resource });
}

/** Tags an image that the request has made. */
export type TagNew = (image: string) => Promise<void>;

/**
 * What a request makes is tagged with the roles in its header `Role-Tag`, else with those that the sub-user has taken,
 * which could not reach it otherwise. To be called before anything is made.
 * @throws 409 InvalidArgument for a role that the account does not have
 */
export async function taggerOf(cloudapi: Cloudapi, call: Call): Promise<TagNew> {
  const given = call.headers['role-tag'];
  const roles =
    given === undefined ? (call.principal.subUser?.roles ?? []) : await rolesNamed(cloudapi, call, namesIn(given));
  return async (image) => {
    if (roles.length === 0) return;
    try {
      await tag(cloudapi, call, imageResource(image), roles);
    } catch (error) {
      // The image is there all the same, and an error would say that it is not. Its owner can tag it.
      cloudapi.log.error({ err: error, image, req_id: call.requestId }, 'a new image was not tagged');
    }
  };
}
