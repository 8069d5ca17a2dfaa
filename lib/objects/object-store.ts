/**
 * Objects: large immutable byte sequences under a path, as in Manta. A backend implements `backend.ts`, and
 * `guarded-store.ts` turns it into this interface; what not every store can do is in `capabilities.ts`.
 *
 * Objects are written in *sessions*: bytes go to a staging place that no reader sees, and `commit` puts them under their
 * name in one step. Neither Manta nor S3 can rename, so there is no rename here: a session knows its final path from the
 * start, and how its bytes get there is up to the backend. A session survives the process that opened it: it has a name,
 * and a later session may take over its bytes.
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

/** What a session knows of its bytes. Without md5, if that is left for later: see `lateMd5` of {@link OpenOptions}. */
export type SessionHashes = Omit<Hashes, 'md5'> & Partial<Pick<Hashes, 'md5'>>;

export interface ObjectInfo {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  readonly mtime: Date;
}

export interface SessionInfo {
  readonly session: string;
  /** Bytes staged. */
  readonly size: number;
  readonly mtime: Date;
}

export interface ReadOptions {
  /** First byte; default 0. */
  readonly start?: number;
  /** Last byte, inclusive as in HTTP ranges; default: the last byte of the object. */
  readonly end?: number;
  readonly signal?: AbortSignal;
}

export interface OpenOptions {
  /** Final path of the object. */
  readonly path: string;
  /** Name of this session, never used before: `[A-Za-z0-9._-]{1,200}`. */
  readonly session: string;
  /**
   * Takes over the bytes of an earlier session, at most `upTo` of them: they are read again (and so hashed) into this
   * session's own staging. It gets what the earlier one had when it was closed, else at least what its last flush made
   * durable. The earlier session keeps its bytes until it is discarded, but its writer, if it is still running, cannot
   * damage this one, and may find its own session gone. A session that does not exist gives no bytes. A store without
   * `supportsTakeOver` refuses.
   */
  readonly takeOver?: { readonly session: string; readonly upTo?: number };
  /**
   * Total bytes to come, if known. Space for them is reserved for as long as they keep coming, or the session is refused
   * with {@link InsufficientStorageError}.
   */
  readonly expect?: number;
  /**
   * Nobody will take over the bytes of this session: it ends with its commit, or they are lost. A store may then send them
   * straight to where they will be read.
   */
  readonly once?: boolean;
  /**
   * The session's hashes need not have md5, which takes as long as the two others: `md5` of the store gives it later. A store
   * that needs it to place the bytes, or that is far from them then, computes it all the same.
   */
  readonly lateMd5?: boolean;
  /** A small object that the service cannot do without: it may use the space that is kept free for such objects. */
  readonly essential?: boolean;
  /** Maximum size in bytes. */
  readonly limit?: number;
  readonly signal?: AbortSignal;
}

export interface AdoptOptions extends Pick<OpenOptions, 'path' | 'session'> {
  /** Absolute, without symbolic links. */
  readonly file: string;
}

export interface PiecesOptions extends Pick<OpenOptions, 'path' | 'session' | 'lateMd5' | 'signal'> {
  /** Bytes of the whole object. Space for them is reserved, as by `expect` of {@link OpenOptions}. */
  readonly size: number;
  /**
   * An earlier session, of either kind, whose bytes {@link Piece.acceptStaged} may accept.
   * @param isOver whether its writer is certain to write no more: the bytes are used where they are then, and none are copied
   */
  readonly earlier?: { readonly session: string; readonly isOver: boolean };
}

export interface AppendOptions {
  readonly signal?: AbortSignal;
  /** Called with the session's new size as bytes reach the staging place. */
  readonly onProgress?: (size: number) => void;
  /**
   * Nobody else needs a piece once the next one is asked for, so its memory may be freed immediately. Without this, the
   * garbage collector takes a third of the time of a fast upload.
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
   * Appends the whole stream, with back-pressure, and hashes it on the way. If this rejects (the source failed, the signal
   * aborted), the bytes that had arrived stay staged and are counted in `size`: call again with the rest.
   * @throws TooLargeError when `limit` is exceeded; InsufficientStorageError when the store is full
   */
  append(source: AsyncIterable<Uint8Array>, options?: AppendOptions): Promise<void>;
  /** Makes all appended bytes durable, unless they are sent `once`, without making them visible; returns how many. */
  flush(): Promise<number>;
  /** Hashes of all bytes so far; more may be appended afterwards. */
  hashes(): Promise<SessionHashes>;
  /**
   * Places the bytes under `path`, replacing what is there, atomically and durably. Rejects with
   * {@link SessionGoneError} when the session was discarded meanwhile, by this or another process.
   */
  commit(): Promise<ObjectInfo>;
  /** Closes handles; staged bytes stay for a later take-over. */
  close(): Promise<void>;
  /** Closes and removes the staged bytes. If these cannot be removed it is closed all the same, and may be called again. */
  discard(): Promise<void>;
}

/**
 * A session whose bytes come as pieces, in any order and many at a time. `size` counts the bytes that are accepted without
 * a gap from the first one on, and they are hashed in this order. The other calls wait for no piece: they are made when
 * none is being written. What follows in order may be appended as well; that writes over pieces beyond a gap.
 */
export interface PieceSession extends WriteSession {
  /** Bytes from the first one to the last that the earlier session left, with gaps that only {@link Piece.acceptStaged} finds. */
  readonly staged: number;
  /** Pieces must not overlap. @param length at most 64 MiB */
  piece(start: number, length: number): Piece;
  /**
   * Takes back that anything is accepted: what is there counts as left by an earlier session, for {@link Piece.acceptStaged} to
   * find what is right of it. Made when the whole has a wrong hash, part of which was appended, so that no piece of it was looked at.
   */
  lookAgain(): Promise<void>;
}

/** A stretch of an object. One call at a time. */
export interface Piece {
  /** Bytes of it that have been written; 0 again when they were not accepted. */
  readonly written: number;
  /** Writes bytes after those written. If this rejects, those that had arrived count: call again with the rest. */
  write(source: AsyncIterable<Uint8Array>, options?: AppendOptions): Promise<void>;
  /** Once all of it is written: whether the bytes have this hash. If so, they are part of the object. @param sha256 hex */
  accept(sha256: string): Promise<boolean>;
  /** Whether the earlier session left bytes with this hash here. If so, they are part of the object. */
  acceptStaged(sha256: string): Promise<boolean>;
}

/** The bytes of an object. */
export interface ByteSource extends Readable {
  /**
   * Takes back a piece whose bytes are no longer needed, so that its memory can be reused. Optional for readers: pieces
   * that are never given back are left to the garbage collector.
   */
  recycle?(piece: Uint8Array): void;
  /** Where the bytes lie, if in a file of this machine. Undefined once some were asked for, or the stream is over. */
  readonly unread?: UnreadFile | undefined;
}

/** The bytes of a stream in the file that it has open, until it is destroyed. */
export interface UnreadFile {
  /** Position of the first one in the file. */
  readonly start: number;
  /** Bytes. */
  readonly size: number;
  /** The file stays open until the promise is settled. @throws if the stream is over */
  whileOpen<T>(use: (descriptor: number) => Promise<T>): Promise<T>;
  /** At least one byte. @param at counts from `start` @throws ObjectTruncatedError */
  read(at: number, length: number): Promise<Uint8Array>;
}

export interface ExportOptions {
  /** Bytes. */
  readonly size: number;
  /** Base64. */
  readonly md5: string;
  readonly signal?: AbortSignal;
}

/** What lies directly below a directory. */
export interface Entry {
  readonly name: string;
  readonly type: 'object' | 'directory';
}

/**
 * The following holds for every call. An invalid path or session name is refused ({@link InvalidPathError},
 * {@link InvalidSessionNameError}) before anything is done. A failure without an error class of its own is an
 * {@link ObjectStoreUnavailableError} with the backend's error as its cause; the same call may work later. An abort
 * rejects with the signal's reason.
 */
export interface ObjectStore {
  /** The name by which records refer to the store; fixed for as long as it holds any object. */
  readonly name: string;
  /** What this store can do beyond the common operations; the rest is refused with {@link UnsupportedError}. */
  readonly capabilities: Capabilities;
  /**
   * A random value kept in the store itself, made on first use: two services that read the same value through their
   * own credentials share the store.
   */
  identity(): Promise<string>;
  /** Undefined when there is none. */
  info(path: string): Promise<ObjectInfo | undefined>;
  /** @throws ObjectNotFoundError, InvalidRangeError. The stream fails if fewer bytes are stored than `info` says. */
  read(path: string, options?: ReadOptions): Promise<{ info: ObjectInfo; stream: ByteSource }>;
  /** Hashes of what is stored, by reading it again. @throws ObjectNotFoundError */
  hash(path: string, signal?: AbortSignal): Promise<Hashes & { size: number }>;
  /** The hash that a session left for later, and the one by which it is known whether the bytes are still the same. */
  md5(path: string, signal?: AbortSignal): Promise<Pick<Hashes, 'sha1' | 'md5'>>;
  open(options: OpenOptions): Promise<WriteSession>;
  /**
   * With `supportsAdoption`: a session whose bytes are those of a file of this machine, under a name of their own: they take
   * neither time nor space, and the file stays where it is. Nothing can be appended. Whoever writes into the file later
   * writes into the object too.
   * @param options.file its real path @throws UnsupportedError, also for a file that can take no more names, or none here
   */
  adopt(options: AdoptOptions): Promise<WriteSession>;
  /** With `supportsPieces`: a session for the pieces of one object. @throws UnsupportedError */
  openPieces(options: PiecesOptions): Promise<PieceSession>;
  /** Removes a session's staged bytes so that no later `commit` of it can succeed. Absent is no error. */
  discard(session: string): Promise<void>;
  /** Sessions with staged bytes, of all processes, in no particular order; for the sweeper. */
  sessions(): Promise<SessionInfo[]>;
  /**
   * What dead processes left under the backend's internal names at least `age` milliseconds ago (default: an hour); for
   * the sweeper. Always empty for a backend that leaves nothing behind.
   */
  leftovers(age?: number): Promise<SessionInfo[]>;
  /** Removes one of them; an absent one is no error. @throws InvalidSessionNameError for any other name */
  removeLeftover(leftover: SessionInfo): Promise<void>;
  /**
   * With `supportsLink`: gives the same bytes a second name, replacing `to` in one step (even if `to` already has these
   * bytes, or equals `from`). The two names then live on independently.
   * @throws ObjectNotFoundError; UnsupportedError, also for an object that can take no more names
   */
  link(from: string, to: string): Promise<void>;
  /**
   * With `supportsServerCopy`: copies the object without its bytes passing through this process; replaces `to` in one
   * step. @throws ObjectNotFoundError; UnsupportedError, also for an object that is too large
   */
  serverCopy(from: string, to: string): Promise<void>;
  /**
   * With `supportsSiblings`: the path by which `info`, `hash`, `link` and `serverCopy` of this store reach the object
   * that lies at `path` below another root. @throws UnsupportedError
   */
  siblingPath(root: string, path: string): string;
  /**
   * Objects and directories directly below a directory, sorted by name; empty if it does not exist. A directory exists
   * for as long as there is an object below it. `''` is the top of the store.
   */
  list(path: string): Promise<Entry[]>;
  /** Readers of the object can read on. An absent object is no error; neither is a directory, which stays. */
  remove(path: string): Promise<void>;
  /** Removes a directory and everything below it. An absent one is no error; neither is an object, which stays. */
  removeTree(path: string): Promise<void>;
  /** Bytes that may still be written; undefined if the store cannot tell. */
  free(): Promise<number | undefined>;
  /**
   * With `supportsSignedUrl`: a URL that reads the object, in whole or in part, until `expires` without further
   * credentials. Does not check that the object exists. @throws UnsupportedError
   */
  signUrl(path: string, expires: Date): Promise<string>;
  /**
   * With `supportsExport`: whether a directory is there in the larger store. @param path begins with a slash and the name of
   * an account there @throws InvalidPathError where nothing may be written
   */
  isForeignDirectory(path: string): Promise<boolean>;
  /**
   * With `supportsExport`: writes an object for somebody else, replacing what is there: whole and with this MD5, or not at
   * all. `body` is called again for each attempt.
   * @throws InvalidPathError where the service may not write, or in its own place
   */
  exportTo(path: string, body: () => AsyncIterable<Uint8Array>, options: ExportOptions): Promise<void>;
  /** Closes all sessions; their staged bytes stay. */
  close(): Promise<void>;
}
