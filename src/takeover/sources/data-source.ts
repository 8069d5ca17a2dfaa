/** What an import reads: the records of another IMGAPI, and the bytes that they promise, wherever these are. */
import type { Readable } from 'node:stream';
import type { ImageObjectName } from '#lib/manifest/object-paths.ts';

export type Fields = Readonly<Record<string, unknown>>;

/** A record as the first look at the source finds it. */
export interface Listed {
  /** Names it in reports: its file, its line, its URL. */
  readonly where: string;
  readonly uuid?: string;
  readonly origin?: string;
  /** Why it cannot be read. */
  readonly problem?: string;
}

export interface WantedBytes {
  readonly uuid: string;
  readonly name: ImageObjectName;
  /** The store that the record names. */
  readonly stor: string;
}

export interface SourceBytes {
  readonly size: number;
  /** Real path, if they are a file of this machine. */
  readonly file?: string;
  /** ISO date of their last change, as far as the source says. */
  readonly mtime?: string;
  /** @param start offset of the first byte */
  open(start: number, signal: AbortSignal): Promise<Readable>;
}

/** The source cannot give something: a fault of this record or file, which the others need not share. */
export class UnreadableError extends Error {
  override readonly name = 'UnreadableError';
}

export interface DataSource {
  /** As it is shown. */
  readonly name: string;
  /** Whether records are as they are stored, or manifests as they are served. */
  readonly form: 'stored' | 'served';
  /** Each record, in no particular order, and whatever else is where only records should be. */
  list(signal: AbortSignal): AsyncIterable<Listed>;
  /** The record of a UUID that was listed. @throws UnreadableError */
  read(uuid: string, signal: AbortSignal): Promise<Fields>;
  /** @throws UnreadableError if the source does not have them */
  bytes(wanted: WantedBytes, signal: AbortSignal): Promise<SourceBytes>;
  /** Folders with keys of users, `NAME.keys` files. */
  readonly keyFolders: readonly string[];
  close(): Promise<void>;
}
