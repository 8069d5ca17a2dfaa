/**
 * The text without those of these characters that it ends with. A pattern such as `/=+$/` looks at each run of them in the
 * text to its end, from each of its characters: for thousands of them, sent by a client, that takes seconds.
 */
export function withoutEnd(text: string, characters: string): string {
  let end = text.length;
  while (end > 0 && characters.includes(text.charAt(end - 1))) end -= 1;
  return text.slice(0, end);
}
