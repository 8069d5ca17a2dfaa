import { parseWithExactKeys } from '../text/exact-keys.ts';

/** @param json of a document, which a store has kept as it was written */
export function parseDocument(json: string): Record<string, unknown> {
  return parseWithExactKeys(json) as Record<string, unknown>;
}
