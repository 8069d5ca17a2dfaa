/**
 * Fields under names that Moray takes. It writes names into SQL without quotes, keeps some for itself, and finds what a
 * document has by the same names. So a name that cannot be a column's gets an ending, in the document as well, whether
 * it is indexed or not: it may be one day, and then what is there must be found. Names of today's IMGAPI stay as they are.
 */

/** The words that PostgreSQL takes for no column's name. */
export const RESERVED: ReadonlySet<string> = new Set(
  `all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate collation
  column concurrently constraint create cross current_catalog current_date current_role current_schema current_time
  current_timestamp current_user default deferrable desc distinct do else end except false fetch for foreign freeze from
  full grant group having ilike in initially inner intersect into is isnull join lateral leading left like limit localtime
  localtimestamp natural not notnull null offset on only or order outer overlaps placing primary references returning
  right select session_user similar some symmetric table tablesample then to trailing true union unique user using
  variadic verbose when where window with`.split(/\s+/),
);

const ENDING = '_field';
/** Moray's own: what begins or ends with an underscore, its name, and the number of a virtual node. */
const MORAYS = /^_|_$|^moray|^vnode$/i;

/** The name of a field in Moray. */
export function morayName(field: string): string {
  const isTaken = RESERVED.has(field.toLowerCase()) || MORAYS.test(field) || field.endsWith(ENDING);
  return isTaken ? `${field}${ENDING}` : field;
}

/** The field that has this name in Moray. */
export function fieldOf(name: string): string {
  return name.endsWith(ENDING) ? name.slice(0, -ENDING.length) : name;
}
