/** `PUT` of a resource with `role-tag`: which roles reach it. */
import type { Role } from '#lib/accounts/accounts.ts';
import type { ROLE_TAGS } from '#lib/api/cloudapi/role-tags.ts';
import type { Reply } from '../../http-kit/call.ts';
import type { Handlers } from '../../http-kit/operations.ts';
import type { Call } from '../call.ts';
import { CloudapiError, invalid } from '../errors.ts';
import { namesIn } from '../names.ts';
import { readParameters } from '../parameters.ts';
import { fullPath, imageResource } from '../resource.ts';
import { rolesNamed, tag, tagsOn } from '../role-tags.ts';
import type { Cloudapi } from '../service.ts';

const COLLECTIONS: readonly string[] = ['datacenters', 'images', 'keys'];

export function roleTagHandlers(cloudapi: Cloudapi): Handlers<typeof ROLE_TAGS, Call> {
  /** Without names it changes nothing, and shows what there is. */
  async function replace(call: Call, resource: string): Promise<Reply> {
    const named = await namesOf(call);
    const roles = named ? await rolesNamed(cloudapi, call, named) : await taggedOn(call, resource);
    if (named) await tag(cloudapi, call, resource, roles);
    const names = roles.map(({ name }) => name);
    return { json: { name: fullPath(call.account.login, resource), 'role-tag': names } };
  }

  async function taggedOn(call: Call, resource: string): Promise<readonly Role[]> {
    const tags = await tagsOn(cloudapi, call, resource);
    return (await cloudapi.accounts.rolesOf(call.account.uuid)).filter(({ uuid }) => tags.includes(uuid));
  }

  return {
    ReplaceAccountRoleTags: (call) => replace(call, '/'),

    async ReplaceResourceCollectionRoleTags(call) {
      const { resource_name: collection = '' } = call.params;
      if (!COLLECTIONS.includes(collection)) {
        throw new CloudapiError('ResourceNotFound', `${collection} is not a valid resource`);
      }
      return replace(call, `/${collection}`);
    },

    /** Of any image that the account sees: its sub-users reach none without a tag. */
    async ReplaceResourceRoleTags(call) {
      const { uuid } = await cloudapi.imgapi.getImage(call.imageId, call.onBehalf);
      return replace(call, imageResource(uuid));
    },
  };
}

async function namesOf(call: Call): Promise<readonly string[] | undefined> {
  await readParameters(call);
  const given = call.parameters['role-tag'] ?? call.headers['role-tag'];
  if (given === undefined) return undefined;
  if (typeof given === 'string') return namesIn(given);
  const mustBe = 'a list of names of roles';
  if (!Array.isArray(given)) throw invalid('role-tag', given, mustBe);
  const names = given.filter((name) => typeof name === 'string');
  if (names.length < given.length) throw invalid('role-tag', given, mustBe);
  return namesIn(names);
}
