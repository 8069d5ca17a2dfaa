/**
 * Objects: large immutable byte sequences under a path, as in Manta. A backend implements `backend.ts`, and
 * `guarded-store.ts` makes this interface of it; what not every store can do is in `capabilities.ts`.
 *
 * Writing is a *session*: bytes go to a staging place that no reader sees, and `commit` puts them under their name in
 * one step. Neither Manta nor S3 can rename, so there is no rename here: a session knows its final path from the
 * start, and how staging reaches it is the backend's affair. A session survives the process that opened it: it has a
 * name, and a later session may take its bytes over.
 */
import type { Readable } from 'node:stream';
import type { Capabilities } from './capabilities.ts';

export interface Hashes {
  /** Lower-case hex. */
  readonly sha1: string;
  /** Lower-case hex. */
  readonly sha256: string;
  /** Base64, as in the Content-MD5 header. */
  readonly md5: string;
}

export interface ObjectInfo {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  readonly mtime: Date;
}

export interface SessionInfo {
  readonly session: string;
  /** Bytes that are staged. */
  readonly size: number;
  readonly mtime: Date;
}

export interface ReadOptions {
  /** First byte, default 0. */
  readonly start?: number;
  /** Last byte, inclusive as in HTTP ranges; default the last of the object. */
  readonly end?: number;
  readonly signal?: AbortSignal;
}

export interface OpenOptions {
  /** Final path of the object. */
  readonly path: string;
  /** Name of this session, unique for ever: `[A-Za-z0-9._-]{1,200}`. */
  readonly session: string;
  /**
   * Take over the bytes of an earlier session, as far as `upTo` bytes: they are read again (and so hashed) into this
   * session's own staging. The earlier session is left as it is, so that its writer, should it still run, writes where
   * it cannot spoil this one. A session that is not there gives no bytes. A store without `supportsTakeOver` refuses.
   */
  readonly takeOver?: { readonly session: string; readonly upTo?: number };
  /**
   * Bytes that will come in all, when known: reserved for as long as they do come, or refused up front with
   * {@link InsufficientStorageError}.
   */
  readonly expect?: number;
  /** A small object that the service cannot do without: it may take the room that is kept free for such. */
  readonly essential?: boolean;
  /** Bytes at the most. */
  readonly limit?: number;
  readonly signal?: AbortSignal;
}

export interface AppendOptions {
  readonly signal?: AbortSignal;
  /** Called as bytes reach the staging place, with the session's new size. */
  readonly onProgress?: (size: number) => void;
  /**
   * Nobody else needs a piece once the next one is asked for: its memory may be let go at once. Without that, a fast
   * upload leaves so much to the garbage collector that it takes a third of the time.
   */
  readonly disposable?: boolean;
}

/** One writer's bytes on their way. Not for concurrent use. */
export interface WriteSession {
  readonly session: string;
  readonly path: string;
  /** Bytes staged so far. */
  readonly size: number;
  /**
   * Appends the stream to its end, under back-pressure, hashing on the way. When it rejects (the source failed, the
   * signal aborted) the bytes that arrived before stay staged and counted in `size`: call again with the rest.
   * @throws TooLargeError when `limit` is passed; InsufficientStorageError when the store is full
   */
  append(source: AsyncIterable<Uint8Array>, options?: AppendOptions): Promise<void>;
  /** Makes all appended bytes durable without showing them; answers how many. */
  flush(): Promise<number>;
  /** Hashes of all bytes so far; the session can go on afterwards. */
  hashes(): Promise<Hashes>;
  /**
   * Places the bytes under `path`, replacing what is there, atomically and durably. Rejects with
   * {@link SessionGoneError} when the session was discarded meanwhile, by whomever.
   */
  commit(): Promise<ObjectInfo>;
  /** Closes handles; what is staged stays for a later take-over. */
  close(): Promise<void>;
  /** Closes and removes the staged bytes. */
  discard(): Promise<void>;
}

/** The bytes of an object. */
export interface ByteSource extends Readable {
  /**
   * Takes a piece back whose bytes nobody needs any more: further ones may be read into the same memory. For readers
   * that are done with a piece before they take many more; to give none back is always right.
   */
  recycle?(piece: Uint8Array): void;
}

/** What lies directly below a directory. */
export interface Entry {
  readonly name: string;
  readonly type: 'object' | 'directory';
}

/**
 * What holds of every call: a path or name that is none is refused ({@link InvalidPathError},
 * {@link InvalidSessionNameError}) before anything is done. A failure that has no error of its own here is an
 * {@link ObjectStoreUnavailableError}, with what the backend said as its cause; the same call may work later. An abort
 * rejects with the signal's reason.
 */
export interface ObjectStore {
  /** By which others refer to the store, for as long as it has any object. */
  readonly name: string;
  /** What it claims to do beyond what all can; the rest it refuses with {@link UnsupportedError}. */
  readonly capabilities: Capabilities;
  /**
   * A random value kept in the store itself, made on first use: two services that read the same value through their
   * own credentials share the store.
   */
  identity(): Promise<string>;
  /** Undefined when there is none. */
  info(path: string): Promise<ObjectInfo | undefined>;
  /** @throws ObjectNotFoundError, InvalidRangeError. The stream fails when fewer bytes come than were promised. */
  read(path: string, options?: ReadOptions): Promise<{ info: ObjectInfo; stream: ByteSource }>;
  /** Hashes of what is stored, by reading it again. @throws ObjectNotFoundError */
  hash(path: string, signal?: AbortSignal): Promise<Hashes & { size: number }>;
  open(options: OpenOptions): Promise<WriteSession>;
  /** Removes a session's staged bytes so that no later `commit` of it can succeed. Absent is no error. */
  discard(session: string): Promise<void>;
  /** Sessions with staged bytes, of all processes and in no particular order, for the sweeper. */
  sessions(): Promise<SessionInfo[]>;
  /**
   * What processes that died left under names of the backend's own, `age` milliseconds ago or longer (an hour unless
   * given), for the sweeper. Always empty where a backend leaves nothing behind.
   */
  leftovers(age?: number): Promise<SessionInfo[]>;
  /** Removes one of them. Gone by now is no error. @throws InvalidSessionNameError for what is none */
  removeLeftover(leftover: SessionInfo): Promise<void>;
  /**
   * With `supportsLink`: a second name for the same bytes, which replaces `to` in one step (also with the same bytes, or
   * itself). The two names live on independently.
   * @throws ObjectNotFoundError; UnsupportedError, also for an object that can take no more names
   */
  link(from: string, to: string): Promise<void>;
  /**
   * With `supportsServerCopy`: another object of the same bytes, which never pass through this process; replaces `to` in
   * one step. @throws ObjectNotFoundError; UnsupportedError, also for an object that is too large
   */
  serverCopy(from: string, to: string): Promise<void>;
  /**
   * With `supportsSiblings`: the path by which `info`, `hash`, `link` and `serverCopy` of this store reach an object
   * below the root of that name, in the same place as its own. @throws UnsupportedError
   */
  siblingPath(root: string, path: string): string;
  /**
   * Objects and directories directly below a directory, by name; empty when there is none. A directory is there as long
   * as an object is below it. `''` is the top of the store.
   */
  list(path: string): Promise<Entry[]>;
  /** Whoever reads the object just now reads on. Absent is no error, and neither is a directory, which stays. */
  remove(path: string): Promise<void>;
  /** Removes a directory with all below it. Absent is no error, and neither is an object, which stays. */
  removeTree(path: string): Promise<void>;
  /** Bytes that may still be written; undefined where nobody can tell. */
  free(): Promise<number | undefined>;
  /**
   * With `supportsSignedUrl`: a URL that reads the object, in whole or in part, until `expires` without further
   * credentials. Whether the object is there is not looked at. @throws UnsupportedError
   */
  signUrl(path: string, expires: Date): Promise<string>;
  /** Closes all sessions; what they staged stays. */
  close(): Promise<void>;
}
