/**
 * The register of write sessions, for object stores that cannot tell which uploads are under way: it stands in our
 * documents, which all processes share. A session is entered before the store hears of it and leaves when its bytes are
 * gone or under their final name, so whatever a dead process left in the store is found here.
 */

/** @typeParam State what the engine must know to find the session's bytes: JSON, such as the id of an upload */
export interface StagedEntry<State extends object> {
  readonly session: string;
  /** Final path of the object. */
  readonly path: string;
  /** Bytes staged so that another process can read them. */
  readonly size: number;
  readonly state: State;
  /** The last change of the entry, by the clock of the documents. */
  readonly mtime: Date;
}

/** New values for what changes; the rest stays. */
export type StagedChange<State extends object> = Partial<Pick<StagedEntry<State>, 'size' | 'state'>>;

/**
 * The sessions of one store. Changes of one entry happen one after the other, whichever processes make them: so an entry
 * is also where a writer and whoever fences it meet. A register that cannot be reached is an ObjectStoreUnavailableError.
 */
export interface StagingRegister<State extends object> {
  /** @throws SessionExistsError */
  add(session: string, path: string, state: State): Promise<StagedEntry<State>>;
  find(session: string): Promise<StagedEntry<State> | undefined>;
  /**
   * Changes an entry as it stands at that moment. `change` may be called several times, and throws to refuse; with
   * nothing to change, only the time is brought up to date.
   * @throws SessionGoneError when it is not there
   */
  update(session: string, change: (current: StagedEntry<State>) => StagedChange<State>): Promise<StagedEntry<State>>;
  /** An absent one is no error. */
  remove(session: string): Promise<void>;
  /** Every entry, in no particular order, in memory that does not grow with their number. */
  list(): AsyncIterable<StagedEntry<State>>;
}
