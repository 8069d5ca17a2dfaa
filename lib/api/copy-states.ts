/** The states of copies. Commands load them at every start, so this file must not load any schema. */

export const COPY_STATES = ['queued', 'running', 'succeeded', 'failed', 'canceled'] as const;
export type CopyState = (typeof COPY_STATES)[number];

/** Whether the copy has ended. `received` is a state of single images only. */
export function isFinal(state: CopyState | 'received'): boolean {
  return state === 'succeeded' || state === 'failed' || state === 'canceled';
}
