/** Replies with a line of JSON for each value, where the request asks for them. */
import { accepts } from '#lib/text/media-types.ts';
import type { Call } from './call.ts';

export const JSON_LINES = 'application/x-json-stream';

export function wantsLines({ headers }: Pick<Call, 'headers'>): boolean {
  return accepts(headers.accept, JSON_LINES);
}
