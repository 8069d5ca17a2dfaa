/** Role tags, which CloudAPI keeps here: they say what an account's sub-users reach. */
import { Type } from 'typebox';
import { BODY_ERRORS } from '../errors/common.ts';
import { needed, uuid } from '../parameters.ts';
import { RoleTags, RoleTagsRequest } from '../schemas/role-tags.ts';
import { account, type ImgapiOperations } from './form.ts';

const RESOURCE = '^/([a-z]{1,32}(/[0-9a-f-]{36})?)?$';
const mustBe = 'a path such as /images or /images/UUID';

const tags = {
  path: '/role-tags/:uuid',
  since: 3,
  where: 'accounts',
  auth: 'strict',
  callers: ['operator'],
  params: Type.Object({ uuid: uuid('The account.') }),
  query: Type.Object({
    account,
    resource: needed(
      Type.String({
        pattern: RESOURCE,
        description: "The resource's path in CloudAPI, without the account: `/images`, or `/images/UUID`.",
        ...{ mustBe },
      }),
      { missing: { message: `resource is missing; it must be ${mustBe}` } },
    ),
  }),
  replies: [{ status: 200, json: RoleTags }],
} as const;

export const ROLE_TAGS = {
  GetRoleTags: {
    ...tags,
    summary: 'Returns which roles of an account are tagged on one of its resources.',
    method: 'GET',
    errors: ['OperatorOnly', 'InvalidParameter'],
  },

  SetRoleTags: {
    ...tags,
    summary: 'Sets which roles of an account are tagged on one of its resources.',
    method: 'PUT',
    body: { json: RoleTagsRequest, check: 'fields' },
    errors: [...BODY_ERRORS, 'OperatorOnly', 'InvalidParameter'],
  },
} as const satisfies ImgapiOperations;
