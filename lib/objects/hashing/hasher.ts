import type { HashReply, HashRequest } from './protocol.ts';

export type Asked = HashRequest & { type: 'update' | 'add' | 'digest' };

/** Computes hashes beside the event loop, for any number of streams, one request after the other. */
export interface Hasher {
  /** Whether it takes streams. */
  readonly alive: boolean;
  /** Number of streams that it currently serves. */
  readonly load: number;
  start(request: HashRequest & { type: 'start' }, listener: StreamListener): void;
  /** The reply goes to the stream's listener. Bytes that are not in a shared block are the caller's again at once. */
  ask(request: Asked): void;
  /** No more is asked for the stream, and nothing answered. */
  end(stream: number): void;
  /** The streams that it still serves fail. */
  terminate(): Promise<void>;
}

export interface StreamListener {
  onReply(reply: HashReply): void;
  onFailure(error: Error): void;
}
