/** The parameters of ListImages as a query. */

export interface ListImagesFilter {
  readonly owner?: string;
  /** `active` when left out; `all` for every one. */
  readonly state?: string;
  /** Equal, or containing what follows a `~`. */
  readonly name?: string;
  readonly version?: string;
  readonly os?: string;
  /** Equal, or unequal to what follows a `!`. */
  readonly type?: string;
  readonly public?: boolean;
  /** All of them. */
  readonly billing_tag?: string | readonly string[];
  /** Tags by key; the empty string asks for the key alone. */
  readonly tags?: Readonly<Record<string, string>>;
  /** Only, or nothing, of what others shared with the account. Version 3. */
  readonly shared?: boolean;
  readonly limit?: number;
  /** UUID of an image or ISO date, inclusive. */
  readonly marker?: string;
  /** `published_at`, `published_at.asc` or `published_at.desc`. */
  readonly sort?: string;
}

/** The value of a query parameter; undefined leaves it out. */
export type QueryValue = string | number | boolean | readonly string[] | undefined;
export type Query = Readonly<Record<string, QueryValue>>;

export function filterQuery({ tags, ...filter }: ListImagesFilter): Query {
  const query: Record<string, QueryValue> = { ...filter };
  for (const [key, value] of Object.entries(tags ?? {})) query[`tag.${key}`] = value;
  return query;
}

/** Empty, or with its question mark. */
export function formatQuery(query: Query): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue;
    for (const item of Array.isArray(value) ? value : [value]) search.append(name, String(item));
  }
  // IMGAPI of old does not read a plus as a space everywhere.
  const text = search.toString().replaceAll('+', '%20');
  return text === '' ? '' : `?${text}`;
}
