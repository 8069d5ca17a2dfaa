/** Which roles of an account reach which of its resources. */
import { Type } from 'typebox';
import { UUID_PATTERN } from '../../text/uuid.ts';
import { needed, type ParameterOptions } from '../parameters.ts';
import { uuid, type ValueOf } from './build.ts';

/** More than anybody can keep an overview of. */
const MOST_TAGS = 100;

export const RoleTags = Type.Object(
  {
    account: uuid(),
    resource: Type.String({ description: 'Path in CloudAPI, without the account.' }),
    roles: Type.Array(uuid(), { description: 'UUIDs of roles.' }),
  },
  { description: "The roles of an account that are tagged on one of the account's resources." },
);
export type RoleTags = ValueOf<typeof RoleTags>;

export const RoleTagsRequest = Type.Object({
  roles: needed(
    Type.Array(Type.String({ pattern: UUID_PATTERN }), {
      maxItems: MOST_TAGS,
      description: 'UUIDs of roles; none removes all tags.',
      mustBe: `a list of at most ${MOST_TAGS} lower-case UUIDs`,
    } satisfies ParameterOptions),
    { missing: { message: 'roles is missing; it must be a list of UUIDs of roles' } },
  ),
});
