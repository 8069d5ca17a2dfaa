/** GetRoleTags, SetRoleTags: for CloudAPI, which says who may. */
import { ApiError, invalidParameter } from '#lib/api/errors/api-error.ts';
import type { ROLE_TAGS } from '#lib/api/imgapi/role-tags.ts';
import { isUuid } from '#lib/text/uuid.ts';
import type { Handlers } from '../../http-kit/operations.ts';
import { roleTags, setRoleTags } from '../../images/role-tags.ts';
import type { Service } from '../../service/service.ts';
import type { Call } from '../call.ts';

export function roleTagHandlers(service: Service): Handlers<typeof ROLE_TAGS, Call> {
  return {
    async GetRoleTags(call, { resource }) {
      return { json: await roleTags(service, ownerOf(call), resource) };
    },

    async SetRoleTags(call, { resource }, body) {
      const account = ownerOf(call);
      const { roles } = await body();
      const tags = await setRoleTags(service, { account, resource, roles });
      call.log.info({ audit: 'role-tags', ...tags, req_id: call.requestId }, 'role tags set');
      return { json: tags };
    },
  };
}

function ownerOf({ account, params }: Call): string {
  if (account !== undefined) throw new ApiError('OperatorOnly', 'role tags are for operators');
  const { uuid = '' } = params;
  if (isUuid(uuid)) return uuid;
  throw invalidParameter('uuid', `the account is ${JSON.stringify(uuid)}; it must be a lower-case UUID`);
}
