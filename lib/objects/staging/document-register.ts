import { EtagConflictError, StoreUnavailableError } from '../../documents/errors.ts';
import type { Bucket, Store, Stored } from '../../documents/store.ts';
import { updateObject } from '../../documents/update.ts';
import { ObjectStoreUnavailableError, SessionExistsError, SessionGoneError } from '../errors.ts';
import type { StagedEntry, StagingRegister } from './register.ts';

interface StagedDocument {
  readonly store: string;
  readonly session: string;
  readonly path: string;
  readonly size: number;
  readonly state: object;
  /** Grows with every change, so that no two versions have the same etag. */
  readonly rev: number;
}

/** Write sessions of all stores that keep theirs in a register; by store and session. */
export const STAGED_SESSIONS: Bucket<StagedDocument> = {
  name: 'imgapi_staged_sessions',
  version: 1,
  index: { store: { type: 'string', few: true } },
};

/**
 * The register of one store in documents that have {@link STAGED_SESSIONS}.
 * @typeParam State is what the engine writes; nobody else writes under the store's name
 */
export function documentRegister<State extends object>(documents: Store, store: string): StagingRegister<State> {
  const keyOf = (session: string): string => `${store}:${session}`;
  const entryOf = ({ value, mtime }: Pick<Stored<StagedDocument>, 'value' | 'mtime'>): StagedEntry<State> => ({
    session: value.session,
    path: value.path,
    size: value.size,
    state: value.state as State,
    mtime: new Date(mtime),
  });

  return {
    async add(session, path, state) {
      const value: StagedDocument = { store, session, path, size: 0, state, rev: 1 };
      try {
        await documents.batch([{ op: 'put', bucket: STAGED_SESSIONS, key: keyOf(session), value, ifEtag: null }]);
      } catch (error) {
        throw error instanceof EtagConflictError ? new SessionExistsError(session, { cause: error }) : failure(error);
      }
      return entryOf({ value, mtime: documents.now() });
    },

    async find(session) {
      const found = await documents.get(STAGED_SESSIONS, keyOf(session)).catch(refuse);
      return found && entryOf(found);
    },

    async update(session, change) {
      const updated = await updateObject(documents, STAGED_SESSIONS, keyOf(session), (value) => ({
        ...value,
        ...change(entryOf({ value, mtime: documents.now() })),
        rev: value.rev + 1,
      })).catch(refuse);
      if (!updated) throw new SessionGoneError(session);
      return entryOf({ value: updated.value, mtime: documents.now() });
    },

    async remove(session) {
      await documents.batch([{ op: 'del', bucket: STAGED_SESSIONS, key: keyOf(session) }]).catch(refuse);
    },

    async *list() {
      const query = { filter: { op: 'eq', field: 'store', value: store } } as const;
      try {
        for await (const found of documents.scan(STAGED_SESSIONS, query)) yield* found.map(entryOf);
      } catch (error) {
        throw failure(error);
      }
    },
  };
}

function refuse(error: unknown): never {
  throw failure(error);
}

/** The documents' own errors mean nothing to those who write objects. What `change` threw is theirs. */
function failure(error: unknown): unknown {
  const isOfDocuments = error instanceof StoreUnavailableError || error instanceof EtagConflictError;
  if (!isOfDocuments) return error;
  return new ObjectStoreUnavailableError('the register of write sessions cannot be used', { cause: error });
}
