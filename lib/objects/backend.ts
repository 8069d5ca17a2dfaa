/**
 * What a backend of the object store has to bring. `guardStore` makes an {@link ObjectStore} of it, which checks what it
 * is given, refuses what is not claimed, names errors and tells how long things took; so a backend may rely on this:
 *
 * * Paths and names of sessions are valid, no path leads into the store's own places, and signals have not aborted yet.
 * * A call that belongs to a capability is made only where the capability is claimed.
 * * A session has one call at a time and none after its end.
 *
 * All else that `object-store.ts` says of a call, and the conformance suite asks for, is the backend's.
 */
import type { Capabilities } from './capabilities.ts';
import type { Entry, Hashes, ObjectInfo, ObjectStore, OpenOptions, ReadOptions, SessionInfo } from './object-store.ts';

type AsInStore = Pick<
  ObjectStore,
  'name' | 'identity' | 'info' | 'hash' | 'discard' | 'sessions' | 'leftovers' | 'remove' | 'removeTree' | 'free'
>;

export interface ObjectBackend extends AsInStore {
  readonly capabilities: Capabilities;
  /**
   * The error for the caller of a call that failed while `needed` bytes were to be written: what only this backend can
   * tell (a full disk, a connection that broke) as one of `errors.ts`, anything else as it is.
   */
  explain(error: unknown, needed: number): unknown;
  /** A read that is aborted destroys the stream. `boundsOf` checks the range. */
  read(path: string, options: ReadOptions): ReturnType<ObjectStore['read']>;
  open(options: BackendOpenOptions): Promise<BackendSession>;
  /** In any order, with the store's own places. */
  list(path: string): Promise<Entry[]>;
  removeLeftover(leftover: SessionInfo): Promise<void>;
  /** Closed after all sessions. */
  close(): Promise<void>;

  /** With `supportsLink`. @throws UnsupportedError when this one object takes no other name */
  link?(from: string, to: string): Promise<void>;
  /** With `supportsServerCopy`. */
  serverCopy?(from: string, to: string): Promise<void>;
  /** With `supportsSignedUrl`. */
  signUrl?(path: string, expires: Date): Promise<string>;
  /** With `supportsSiblings`. */
  siblingPath?(root: string, path: string): string;
  /**
   * With `supportsTakeOver`: the bytes that a session has staged, as far as `upTo`; none when there is no such session.
   * Each piece is valid until the next one is asked for. Its writer may still be at work on them.
   */
  staged?(session: string, upTo: number): AsyncIterable<Uint8Array>;
}

export type BackendOpenOptions = Pick<OpenOptions, 'path' | 'session' | 'expect' | 'essential'>;

export interface BackendSession {
  /** Bytes staged so far, also by an `append` that failed half-way. */
  readonly size: number;
  /**
   * Appends all pieces, hashing them; each is valid until the next one is asked for. When the source fails, what came
   * before is kept and the source's error thrown; failures of its own are explained already.
   */
  append(source: AsyncIterable<Uint8Array>, onProgress?: (size: number) => void): Promise<void>;
  flush(): Promise<void>;
  hashes(): Promise<Hashes>;
  /** Releases what the session holds when it succeeds; may be called again when it failed. */
  commit(): Promise<ObjectInfo>;
  close(): Promise<void>;
  /** May be called again when it failed. */
  discard(): Promise<void>;
}
