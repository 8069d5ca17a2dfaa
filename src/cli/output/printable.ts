/** Text from elsewhere, such as the name that a stranger gave an image, must not steer the terminal. */

/** Control characters, and those that turn the direction of writing around. */
const UNSAFE = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu;

/** One line that can be shown as it is. */
export function printable(text: string): string {
  return text.replace(UNSAFE, (character) => {
    if (character === '\n' || character === '\t') return ' ';
    return `\\u{${character.codePointAt(0)?.toString(16)}}`;
  });
}

/** The same for a text of several lines: a last barrier, for what whoever made the text has overlooked. */
export function printableLines(text: string): string {
  return text.replace(UNSAFE, (character) =>
    character === '\n' || character === '\t' ? character : `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
}
