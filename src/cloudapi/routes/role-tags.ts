/** `PUT` of a resource with `role-tag`: which roles reach it. */
import type { ROLE_TAGS } from '#lib/api/cloudapi/role-tags.ts';
import type { Reply } from '../../http-kit/call.ts';
import type { Handlers } from '../../http-kit/operations.ts';
import type { Call } from '../call.ts';
import { CloudapiError, invalid, missing } from '../errors.ts';
import { namesIn } from '../names.ts';
import { readParameters } from '../parameters.ts';
import { fullPath, imageResource } from '../resource.ts';
import { rolesNamed, tag } from '../role-tags.ts';
import type { Cloudapi } from '../service.ts';

const COLLECTIONS: readonly string[] = ['datacenters', 'images', 'keys'];

export function roleTagHandlers(cloudapi: Cloudapi): Handlers<typeof ROLE_TAGS, Call> {
  async function replace(call: Call, resource: string): Promise<Reply> {
    const roles = await rolesNamed(cloudapi, call, await namesOf(call));
    await tag(cloudapi, call, resource, roles);
    const names = roles.map(({ name }) => name);
    return { json: { name: fullPath(call.account.login, resource), 'role-tag': names } };
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

async function namesOf(call: Call): Promise<readonly string[]> {
  await readParameters(call);
  const given = call.parameters['role-tag'] ?? call.headers['role-tag'];
  if (given === undefined) throw missing('role-tag', 'the names of roles');
  if (typeof given === 'string') return namesIn(given);
  const mustBe = 'a list of names of roles';
  if (!Array.isArray(given)) throw invalid('role-tag', given, mustBe);
  const names = given.filter((name) => typeof name === 'string');
  if (names.length < given.length) throw invalid('role-tag', given, mustBe);
  return namesIn(names);
}
