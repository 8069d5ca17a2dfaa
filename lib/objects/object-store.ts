/**
 * Objects: large immutable byte sequences under a path, as in Manta. Backends: local files, later Manta and S3.
 *
 * Writing is a *session*: bytes go to a staging place that no reader sees, and `commit` puts them under their name in
 * one step. Neither Manta nor S3 can rename, so there is no rename here: a session knows its final path from the
 * start, and how staging reaches it is the backend's affair. A session survives the process that opened it: it has a
 * name, and a later session may take its bytes over.
 */
import type { Readable } from 'node:stream';

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
   * it cannot spoil this one. A session that is not there gives no bytes.
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

/** Whatever a backend throws that is none of the errors named here is an {@link ObjectStoreUnavailableError}. */
export interface ObjectStore {
  /** The name in `files[].stor`: `local`, `manta`. */
  readonly name: string;
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
  /** Sessions with staged bytes, for the sweeper. */
  sessions(): Promise<SessionInfo[]>;
  /**
   * What processes that died left under names of the backend's own, `age` milliseconds ago or longer (an hour unless
   * given), for the sweeper. Absent where a backend leaves nothing behind.
   */
  leftovers?(age?: number): Promise<SessionInfo[]>;
  /** Removes one of them. Gone by now is no error. */
  removeLeftover?(leftover: SessionInfo): Promise<void>;
  /**
   * A second name for the same bytes, without moving any where the store can; replaces `to`. The two names live on
   * independently. @throws ObjectNotFoundError, LinkUnsupportedError where the store could only move the bytes
   */
  link(from: string, to: string): Promise<void>;
  /**
   * The path by which `info`, `hash` and `link` of this store reach an object of another datacenter that keeps its
   * objects in the same place, below a root of its own. Absent where a store's root has no siblings.
   */
  siblingPath?(datacenter: string, path: string): string;
  /** Objects and directories directly below a directory, by name; empty when there is none. */
  list(path: string): Promise<{ name: string; type: 'object' | 'directory' }[]>;
  /** Absent is no error. */
  remove(path: string): Promise<void>;
  /** Removes a directory with all below it. Absent is no error. */
  removeTree(path: string): Promise<void>;
  /** Bytes that may still be written, where known. */
  free(): Promise<number | undefined>;
  /**
   * A URL that reads the object until `expires` without further credentials, where the store serves such URLs itself.
   * Undefined when it does not (local files): the service then signs one of its own.
   */
  signUrl(path: string, expires: Date): Promise<string | undefined>;
  close(): Promise<void>;
}
