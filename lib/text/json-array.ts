/** Builds the text of a JSON array, indented by two spaces, from the texts of its items. */
export const EMPTY_ARRAY = '[]';
/** The end of an array that has items. */
export const ARRAY_END = '\n]';

const BEFORE = '[\n  ';

/** A value as it appears in the array. In one piece: replacing its line breaks would leave one for each of them. */
export function arrayItem(value: unknown): string {
  return JSON.stringify([value], null, 2).slice(BEFORE.length, -ARRAY_END.length);
}

/** The next part of the array, with at least one item. */
export function arrayItems(items: readonly string[], isFirst: boolean): string {
  return `${isFirst ? BEFORE : ',\n  '}${items.join(',\n  ')}`;
}
