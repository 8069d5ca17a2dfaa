/** Builds the text of a JSON array, indented by two spaces, from the texts of its items. */
export const EMPTY_ARRAY = '[]';
/** The end of an array that has items. */
export const ARRAY_END = '\n]';

/** A value that was written with an indentation of two spaces, as it appears in the array. */
export function arrayItem(text: string): string {
  // The only line breaks in JSON are those of its indentation.
  return text.replaceAll('\n', '\n  ');
}

/** The next part of the array, with at least one item. */
export function arrayItems(items: readonly string[], isFirst: boolean): string {
  return `${isFirst ? '[\n  ' : ',\n  '}${items.join(',\n  ')}`;
}
