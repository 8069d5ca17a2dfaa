/** What a ListImages request asks for, and the store filters that answer it. */

import { invalidParameter } from '#lib/api/errors/api-error.ts';
import type { ListState } from '#lib/api/imgapi/images.ts';
import type { Filter } from '#lib/documents/store.ts';
import type { ImageRecord } from '#lib/manifest/record.ts';
import { tagSearchStrings } from '#lib/manifest/stored.ts';
import type { OfferPolicy } from './sharing/acceptance.ts';

/** Each condition lengthens the statement that the store has to plan, so their number is bounded. */
const MOST_FILTERS = 20;
/** Maximum length of a tag's key in an error message. */
const LONGEST_SHOWN = 100;

/** Values are as sent: a leading `~` in name or version means "contains", a leading `!` in type means "any other". */
export interface ListRequest {
  /** Default `active`. */
  readonly state?: ListState;
  /** True: only images that are being copied from another datacenter; false: none of those. */
  readonly copies?: boolean;
  readonly owner?: string;
  readonly name?: string;
  readonly version?: string;
  readonly os?: string;
  readonly type?: string;
  readonly public?: boolean;
  readonly billingTags: readonly string[];
  /** An empty value matches any value of the key. */
  readonly tags: readonly (readonly [key: string, value: string])[];
  readonly channel?: string;
  /** True: only images that others share with the account; false: none of those. */
  readonly shared?: boolean;
  /** Given for an account that is asked first: what it gets of what is offered to it, nothing else or nothing of it. */
  readonly offers?: OfferPolicy & { readonly show: 'only' | 'none' };
  /** True: only images that are deprecated by now; false: none of those. */
  readonly deprecated?: boolean;
}

/** @throws 422 InvalidParameter naming the most frequent parameter */
export function assertFewFilters(request: ListRequest): void {
  // The channel does not count: it may be the default one, which the caller did not give.
  const { channel: _, ...asked } = request;
  const { billingTags, tags } = asked;
  const count = contentFilters(asked).length;
  if (count <= MOST_FILTERS) return;
  const field = billingTags.length > tags.length ? 'billing_tag' : `tag.${tags[0]?.[0].slice(0, LONGEST_SHOWN)}`;
  throw invalidParameter(
    field,
    `there are ${count} filters (${field} and others); at most ${MOST_FILTERS} are allowed`,
  );
}

/** The conditions that hold for every image of the answer, whoever asks. */
export function contentFilters(request: ListRequest): Filter[] {
  const filters: Filter[] = [];
  if (request.owner !== undefined) filters.push({ op: 'eq', field: 'owner', value: request.owner });
  if (request.name !== undefined) filters.push(textFilter('name', request.name));
  if (request.version !== undefined) filters.push(textFilter('version', request.version));
  if (request.os !== undefined) filters.push({ op: 'eq', field: 'os', value: request.os });
  if (request.type !== undefined) filters.push(typeFilter(request.type));
  if (request.public !== undefined) filters.push({ op: 'eq', field: 'public', value: request.public });
  for (const value of request.billingTags) filters.push({ op: 'contains', field: 'billing_tags', value });
  for (const [key, value] of request.tags) filters.push(tagFilter(key, value));
  // Whether its date has come is looked at in each.
  if (request.deprecated === true) filters.push({ op: 'exists', field: 'deprecated_at' });
  if (request.channel !== undefined) filters.push({ op: 'contains', field: 'channels', value: request.channel });
  return filters;
}

export function stateFilters(state: ListState): Filter[] {
  switch (state) {
    case 'active':
      return [isActivated(true), isDisabled(false)];
    case 'disabled':
      return [isActivated(true), isDisabled(true)];
    case 'unactivated':
      return [isActivated(false), notDeleting];
    case 'creating':
    case 'failed':
      return [{ op: 'eq', field: 'state', value: state }];
    case 'all':
      return [notDeleting];
    default:
      return state satisfies never;
  }
}

export function isActivated(value: boolean): Filter {
  return { op: 'eq', field: 'activated', value };
}

function isDisabled(value: boolean): Filter {
  return { op: 'eq', field: 'disabled', value };
}

const notDeleting: Filter = { op: 'not', of: { op: 'eq', field: 'state', value: 'deleting' } };

function textFilter(field: string, text: string): Filter {
  if (!text.startsWith('~')) return { op: 'eq', field, value: text };
  return { op: 'substring', field, value: text.slice(1) };
}

function typeFilter(type: string): Filter {
  if (!type.startsWith('!')) return { op: 'eq', field: 'type', value: type };
  return { op: 'not', of: { op: 'eq', field: 'type', value: type.slice(1) } };
}

/** Settles what the search strings cannot: values too long for them, and keys that contain `=`. */
export function hasTag({ tagsObj = {} }: ImageRecord, key: string, value: string): boolean {
  return Object.hasOwn(tagsObj, key) && (value === '' || String(tagsObj[key]) === value);
}

function tagFilter(key: string, value: string): Filter {
  if (value === '') return { op: 'containsPrefix', field: 'tags', value: `${key}=` };
  const [searched = ''] = tagSearchStrings({ [key]: value });
  return { op: 'contains', field: 'tags', value: searched };
}
