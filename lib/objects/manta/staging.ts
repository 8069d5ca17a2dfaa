/** Where the bytes of one session are until its commit, and how they become an object then. */
import type { HashStream } from '../hashing/stream.ts';
import type { Placing } from './fencing.ts';
import type { Manta } from './manta.ts';

export interface Staging {
  /** Bytes that were taken. */
  readonly size: number;
  /** Appends and hashes; see `BackendSession`. Its own failures are explained already. */
  append(source: AsyncIterable<Uint8Array>, onProgress?: (size: number) => void, signal?: AbortSignal): Promise<void>;
  /** Makes what was taken as durable as it gets before the commit. */
  flush(): Promise<void>;
  /** Begins to place right before the step that makes the object. @throws SessionGoneError; what Manta answers */
  place(md5: string): Promise<void>;
  /** Releases memory and connections. */
  end(): Promise<void>;
}

export interface StagingOptions {
  readonly manta: Manta;
  readonly session: string;
  /** Of the object, in Manta. */
  readonly target: string;
  readonly hash: HashStream;
  readonly placing: Placing;
}
