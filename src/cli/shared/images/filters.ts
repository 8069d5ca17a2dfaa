/** Reads FIELD=VALUE arguments as the filter of a list. */
import type { Image } from '#lib/api/schemas/image.ts';
import type { ListImagesFilter } from '#lib/client/filter.ts';
import { suggestion } from '#lib/text/suggest.ts';
import { usageError } from '../../framework/errors.ts';

export const CLOUDAPI_FILTERS = [
  'owner',
  'state',
  'name',
  'version',
  'os',
  'type',
  'public',
  'shared',
  'deprecated',
] as const;

type State = Image['state'] | 'all';

const TEXTS = ['owner', 'state', 'name', 'version', 'os', 'type'] as const;
const FLAGS = ['public', 'shared', 'deprecated'] as const;
const STATES = [
  'active',
  'unactivated',
  'disabled',
  'creating',
  'failed',
  'copying',
  'all',
] as const satisfies readonly State[];
const FIELDS = [...TEXTS, ...FLAGS, 'billing_tag', 'tag.KEY'] as const;

/**
 * @param fields those that the server knows
 * @throws CommandError of usage
 */
export function readFilters(given: readonly string[], fields: readonly string[] = FIELDS): ListImagesFilter {
  const filter: Record<string, string | boolean> = {};
  const billingTags: string[] = [];
  const tags: Record<string, string> = {};
  for (const text of given) {
    const at = text.indexOf('=');
    if (at < 1) throw usageError(`filter ${JSON.stringify(text)} is wrong; it must be FIELD=VALUE`);
    const [field, value] = [text.slice(0, at), text.slice(at + 1)];
    if (!fields.includes(field.startsWith('tag.') ? 'tag.KEY' : field)) throw unknownField(field, fields);
    if (field === 'state') filter[field] = readState(value);
    else if (isOneOf(TEXTS, field)) filter[field] = value;
    else if (isOneOf(FLAGS, field)) filter[field] = readFlag(field, value);
    else if (field === 'billing_tag') billingTags.push(value);
    else if (field.startsWith('tag.') && field.length > 4) tags[field.slice(4)] = value;
    else throw unknownField(field, fields);
  }
  return {
    ...filter,
    ...(billingTags.length > 0 && { billing_tag: billingTags }),
    ...(Object.keys(tags).length > 0 && { tags }),
  };
}

/** Which there are is the server's to say; what was meant is told before it is asked. */
function readState(value: string): string {
  const meant = isOneOf(STATES, value) ? '' : suggestion(value, STATES);
  if (meant === '') return value;
  throw usageError(`filter state is ${JSON.stringify(value)}${meant}`);
}

function readFlag(field: string, value: string): boolean {
  if (value === 'true' || value === 'false') return value === 'true';
  throw usageError(`filter ${field} is ${JSON.stringify(value)}; it must be true or false`);
}

function unknownField(field: string, fields: readonly string[]): Error {
  const hint = suggestion(field, fields) || `; the filters are ${fields.join(', ')}`;
  return usageError(`unknown filter ${JSON.stringify(field)}${hint}`);
}

function isOneOf<Name extends string>(names: readonly Name[], name: string): name is Name {
  return (names as readonly string[]).includes(name);
}
