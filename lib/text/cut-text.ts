/** Text from elsewhere is cut before it is stored, shown or logged: we decide how long it may be. */
/** Bytes of UTF-8. */
export const FOREIGN_TEXT_LIMIT = 1024;

/**
 * The text itself, or its beginning and an ellipsis: at most `limit` bytes of UTF-8. What not every store can keep (NUL, half a
 * surrogate pair) is replaced.
 */
export function cutText(foreign: string, limit = FOREIGN_TEXT_LIMIT): string {
  const text = foreign.toWellFormed().replaceAll('\0', '\uFFFD');
  if (text.length * 3 <= limit || Buffer.byteLength(text) <= limit) return text;
  const bytes = Buffer.from(text.slice(0, limit)).subarray(0, limit - ELLIPSIS_BYTES);
  // The cut may leave part of a character behind.
  return `${bytes.toString('utf8').replace(/\uFFFD+$/, '')}…`;
}

const ELLIPSIS_BYTES = 3;
