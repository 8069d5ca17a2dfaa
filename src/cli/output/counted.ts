/** Numbers of things in sentences. */

/** `1 image`, `2 images`. @param one the word for one; the others get an s */
export function counted(count: number, one: string): string {
  return count === 1 ? `1 ${one}` : `${count} ${one}s`;
}
