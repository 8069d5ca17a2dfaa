/** The parameters of ListImages as a query. */

export interface ListImagesFilter {
  readonly owner?: string;
  /** Default `active`; `all` for images in any state. */
  readonly state?: string;
  /** Equal, or containing what follows a `~`. */
  readonly name?: string;
  readonly version?: string;
  readonly os?: string;
  /** Equal, or unequal to what follows a `!`. */
  readonly type?: string;
  readonly public?: boolean;
  /** Images that have all of these. */
  readonly billing_tag?: string | readonly string[];
  /** Values of tags by key; an empty string matches any value. */
  readonly tags?: Readonly<Record<string, string>>;
  /** Only images that others share with the account, or none of those. Version 3. */
  readonly shared?: boolean;
  /** Only images that are deprecated by now, or none of those. Version 3. */
  readonly deprecated?: boolean;
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

/** The query with its question mark, or an empty string. */
export function formatQuery(query: Query): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue;
    for (const item of Array.isArray(value) ? value : [value]) search.append(name, String(item));
  }
  // Today's IMGAPI does not always read a plus as a space.
  const text = search.toString().replaceAll('+', '%20');
  return text === '' ? '' : `?${text}`;
}
