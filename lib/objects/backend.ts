/**
 * What a backend of the object store must implement. `guardStore` turns it into an {@link ObjectStore}: it checks
 * arguments, refuses capabilities that are not claimed, names errors and measures times. So a backend may rely on this:
 *
 * * Paths and session names are valid, no path leads into the store's own places, and signals have not aborted yet.
 * * A call that needs a capability is made only if the backend claims it.
 * * A session gets one call at a time, and none after its end.
 *
 * Everything else that `object-store.ts` promises and the conformance suite checks is up to the backend.
 */
import type { Capabilities } from './capabilities.ts';
import type {
  AdoptOptions,
  Entry,
  ObjectInfo,
  ObjectStore,
  OpenOptions,
  PiecesOptions,
  ReadOptions,
  SessionHashes,
  SessionInfo,
} from './object-store.ts';

type AsInStore = Pick<
  ObjectStore,
  'name' | 'identity' | 'info' | 'hash' | 'discard' | 'sessions' | 'leftovers' | 'remove' | 'removeTree' | 'free'
>;

export interface ObjectBackend extends AsInStore {
  readonly capabilities: Capabilities;
  /**
   * The error to throw for a call that failed while `needed` bytes were to be written: what only this backend can
   * recognise (a full disk, a broken connection) becomes one of `errors.ts`; anything else is returned unchanged.
   */
  explain(error: unknown, needed: number): unknown;
  /** Aborted reads destroy the stream. Use `boundsOf` to check the range. */
  read(path: string, options: ReadOptions): ReturnType<ObjectStore['read']>;
  open(options: BackendOpenOptions): Promise<BackendSession>;
  /** In any order, including the store's own places. */
  list(path: string): Promise<Entry[]>;
  removeLeftover(leftover: SessionInfo): Promise<void>;
  /** Called after all sessions have been closed. */
  close(): Promise<void>;

  /** With `supportsLink`. @throws UnsupportedError when this particular object can take no other name */
  link?(from: string, to: string): Promise<void>;
  /** With `supportsServerCopy`. */
  serverCopy?(from: string, to: string): Promise<void>;
  /** With `supportsSignedUrl`. */
  signUrl?(path: string, expires: Date): Promise<string>;
  /** With `supportsExport`. */
  isForeignDirectory?(path: string): Promise<boolean>;
  exportTo?: ObjectStore['exportTo'];
  /** With `supportsAdoption`. @throws UnsupportedError */
  adopt?(options: AdoptOptions): Promise<BackendSession>;
  /** With `supportsPieces`. */
  openPieces?(options: PiecesOptions): Promise<BackendPieceSession>;
  /** If that takes less than `hash`. */
  md5?: ObjectStore['md5'];
  /** With `supportsSiblings`. */
  siblingPath?(root: string, path: string): string;
  /**
   * With `supportsTakeOver`: the bytes that a session has staged, at most `upTo`; none if there is no such session. Each
   * piece is valid until the next one is asked for. The session's writer may still be appending; a store may end it.
   */
  staged?(session: string, upTo: number): AsyncIterable<Uint8Array>;
}

export type BackendOpenOptions = Pick<OpenOptions, 'path' | 'session' | 'expect' | 'essential' | 'once' | 'lateMd5'>;

export interface BackendSession {
  /** Bytes staged so far, including those of an `append` that failed halfway. */
  readonly size: number;
  /**
   * Appends and hashes all pieces; each is valid until the next one is asked for. If the source fails, what came before
   * is kept, and the source's error is thrown. The session's own failures have already been through `explain`.
   * @param signal ends the source; what is waited for before bytes can be taken from it is not waited for any more then
   */
  append(source: AsyncIterable<Uint8Array>, onProgress?: (size: number) => void, signal?: AbortSignal): Promise<void>;
  flush(): Promise<void>;
  hashes(): Promise<SessionHashes>;
  /** Releases what the session holds if it succeeds; may be called again if it fails. */
  commit(): Promise<ObjectInfo>;
  /** Does nothing the second time. */
  close(): Promise<void>;
  /** If it fails, `close` is called, and it may be called again. */
  discard(): Promise<void>;
}

export interface BackendPieceSession extends BackendSession {
  readonly staged: number;
  piece(start: number, length: number): BackendPiece;
  lookAgain(): Promise<void>;
}

export interface BackendPiece {
  readonly written: number;
  /** Never more than the piece still lacks; as `append` of {@link BackendSession} else. */
  write(source: AsyncIterable<Uint8Array>, onProgress?: (written: number) => void): Promise<void>;
  accept(sha256: string): Promise<boolean>;
  acceptStaged(sha256: string): Promise<boolean>;
}
