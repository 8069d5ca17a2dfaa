/**
 * What is asked of a hasher, and what it answers: for a thread of Node, the messages to it and back. Bytes are not sent: both sides
 * see the blocks of all streams through one shared buffer, and a block belongs to the hasher from `update` until its reply `hashed`.
 */
import type { Hashes } from '../object-store.ts';
import type { Algorithm } from './algorithms.ts';

/** In replies: the bytes were not in a shared block. */
export const OWN_BLOCK = -1;

/** What a thread is given when it starts. */
export interface HashThreadData {
  readonly buffer: SharedArrayBuffer;
}

export type HashRequest =
  | {
      readonly type: 'start';
      readonly stream: number;
      readonly algorithms: readonly Algorithm[];
    }
  | { readonly type: 'update'; readonly stream: number; readonly block: number; readonly length: number }
  | { readonly type: 'add'; readonly stream: number; readonly bytes: Uint8Array }
  | { readonly type: 'digest'; readonly stream: number }
  | { readonly type: 'end'; readonly stream: number };

export type HashReply =
  | { readonly type: 'hashed'; readonly stream: number; readonly block: number }
  | { readonly type: 'digest'; readonly stream: number; readonly hashes: Partial<Hashes> };
