/** What the states of copies mean. */
import type { CopyImageStatus, CopyState } from '../api/schemas/copy.ts';

/** Nothing follows any more: it has succeeded, failed, or was canceled. */
export function isFinal(state: CopyState | CopyImageStatus['state']): boolean {
  return state === 'succeeded' || state === 'failed' || state === 'canceled';
}
