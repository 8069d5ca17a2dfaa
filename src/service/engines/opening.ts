/** What engines are opened with, and what an engine has to bring. */
import type Logger from 'bunyan';
import type { Fence } from '#lib/documents/moving/moved.ts';
import type { Bucket, Store, Write } from '#lib/documents/store.ts';
import type { ObjectStore } from '#lib/objects/object-store.ts';
import type { Clock } from '#lib/runtime/clock.ts';
import type { OperationObserver } from '#lib/runtime/operation-observer.ts';
import type { Config } from '../config/config.ts';

export interface Opening {
  readonly config: Config;
  readonly log: Logger;
  /** The metrics of a store; absent if none are kept. */
  readonly observe: ((store: string) => OperationObserver) | undefined;
}

/** What is written along with a write, in its batch. */
export type AlongWith = (write: Write) => readonly Write[];

export interface DocumentsOpening extends Opening {
  /** Those of the service; created or upgraded before anybody gets the store. */
  readonly buckets: readonly Bucket[];
  /** What belongs in the batch of a write, whoever makes it. */
  readonly alongWith: AlongWith;
  /** Given by tests only, in place of the database's own. */
  readonly clock: Clock | undefined;
  /** Names this process among those that share the documents. */
  readonly worker: string;
}

export interface OpenedDocuments {
  readonly store: Store;
  readonly fence: Fence;
}

export interface DocumentEngine {
  /** @param since earlier moves away from the store count for nothing; see `Moved.epoch` */
  readonly open: (opening: DocumentsOpening, since: number) => Promise<OpenedDocuments>;
  /** Makes of a failure to open it a ConfigError that tells an operator what to do, or throws it as it is. */
  readonly refuse: (config: Config) => (cause: unknown) => never;
}

export interface ObjectsOpening extends Opening {
  /** Its clock judges the age of other processes' bytes; and what an object store cannot list, it remembers. */
  readonly documents: Store;
}

/** @throws ConfigError, ObjectStoreUnavailableError */
export type ObjectEngine = (opening: ObjectsOpening) => Promise<ObjectStore>;
