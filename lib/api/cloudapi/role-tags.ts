/** Which roles of an account reach which of its resources. */
import { Type } from 'typebox';
import { ACCOUNTS, accountParams, type CloudapiOperations, imageParams, PARAMETER_ERRORS, signed } from './form.ts';
import { value } from './parameters.ts';
import { RoleTagsOfResource } from './schemas/account.ts';

const tags = Type.Object({
  'role-tag': Type.Optional(
    value(
      'Names of roles of the account, as a list or separated by commas; none for no tags. Left out: nothing changes.',
    ),
  ),
});

const replace = {
  ...signed,
  method: 'PUT',
  query: tags,
  headers: Type.Object({
    'role-tag': Type.Optional(Type.String({ description: 'The same, instead of a parameter.' })),
  }),
  body: { json: tags, optional: true },
  replies: [{ status: 200, json: RoleTagsOfResource }],
} as const;

const errors = PARAMETER_ERRORS;

export const ROLE_TAGS = {
  ReplaceAccountRoleTags: {
    ...replace,
    summary: 'Sets the roles whose sub-users may get the account.',
    path: '/:account',
    params: accountParams,
    callers: ACCOUNTS,
    errors,
  },

  ReplaceResourceCollectionRoleTags: {
    ...replace,
    summary: 'Sets the roles whose sub-users may list resources of a kind, and make new ones.',
    path: '/:account/:resource_name',
    params: Type.Object({
      ...accountParams.properties,
      resource_name: Type.String({ description: '`images`, `keys` or `datacenters`.' }),
    }),
    callers: ACCOUNTS,
    errors: [...errors, 'ResourceNotFound'],
  },

  ReplaceResourceRoleTags: {
    ...replace,
    summary: 'Sets the roles whose sub-users reach an image that the account sees.',
    path: '/:account/images/:id',
    params: imageParams,
    callers: ACCOUNTS,
    errors: [...errors, 'ResourceNotFound'],
  },
} as const satisfies CloudapiOperations;
