/** The states of copies, and what they mean. Commands need them at each start, so no schema is loaded with them. */

export const COPY_STATES = ['queued', 'running', 'succeeded', 'failed', 'canceled'] as const;
export type CopyState = (typeof COPY_STATES)[number];

/** Nothing follows any more. `received` is a state of one image of a copy. */
export function isFinal(state: CopyState | 'received'): boolean {
  return state === 'succeeded' || state === 'failed' || state === 'canceled';
}
