/** Where strings in a JSON text end. */

export const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** The index of the quote that ends the string beginning at `start`; the length of the text if there is none. */
export function endOfString(text: string, start: number): number {
  for (let from = start + 1; ; ) {
    const end = text.indexOf('"', from);
    if (end < 0) return text.length;
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes += 1;
    if (slashes % 2 === 0) return end;
    from = end + 1;
  }
}
