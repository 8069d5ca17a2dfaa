/** How much room text takes on a terminal, in columns. */
import stringWidth from 'string-width';

/** What a terminal shows as one: letters with their accents, emoji of several characters. */
const GRAPHEMES = new Intl.Segmenter();

export function textWidth(text: string): number {
  return stringWidth(text);
}

export function padEnd(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - textWidth(text)));
}

export function padStart(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - textWidth(text))) + text;
}

/** At most `width` columns; what is cut shows as an ellipsis. */
export function truncate(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  let kept = '';
  let room = width - 1;
  for (const { segment } of GRAPHEMES.segment(text)) {
    room -= textWidth(segment);
    if (room < 0) break;
    kept += segment;
  }
  return width < 1 ? '' : `${kept}…`;
}
