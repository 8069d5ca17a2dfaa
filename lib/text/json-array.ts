/** The text of a JSON array, indented by two spaces, put together from the texts of its items. */

export const EMPTY_ARRAY = '[]';
/** Of one that has items. */
export const ARRAY_END = '\n]';

/** What stands in the array for a value that was written with an indentation of two spaces. */
export function arrayItem(text: string): string {
  // JSON holds no line break but those of its indentation.
  return text.replaceAll('\n', '\n  ');
}

/** The next part of the array, of at least one item. */
export function arrayItems(items: readonly string[], isFirst: boolean): string {
  return `${isFirst ? '[\n  ' : ',\n  '}${items.join(',\n  ')}`;
}
