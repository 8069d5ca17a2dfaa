/**
 * Migrations that operators ordered, one of each kind at a time. The order is a document among all others, so it moves
 * with them, and any process can show it or go on with it.
 */
import { ApiError } from '#lib/api/errors/api-error.ts';
import type { Migration, MigrationKind } from '#lib/api/schemas/migration.ts';
import type { Bucket, Store } from '#lib/documents/store.ts';
import { retryOnConflict, updateObject } from '#lib/documents/update.ts';
import { newUuid } from '#lib/text/uuid.ts';

export interface MigrationOrder extends Migration {
  /** Names it on both sides; that of one which goes on where another ended is the same. */
  readonly nonce: string;
  /** Whether the old store may still be noting what changes. */
  readonly noting?: boolean;
  readonly rev: number;
}

/** Keyed by kind. */
export const MIGRATIONS: Bucket<MigrationOrder> = { name: 'imgapi_migrations', version: 1, index: {} };

export type Planned = Pick<Migration, 'kind' | 'from' | 'to' | 'total' | 'bytes_total'>;

/**
 * The order, or the running one if it is the same. One like it that failed is gone on with.
 * @throws 422 while another one of the kind is running
 */
export async function orderMigration(store: Store, planned: Planned): Promise<MigrationOrder> {
  const { kind, from, to } = planned;
  return retryOnConflict(async () => {
    const found = await store.get(MIGRATIONS, kind);
    const before = found?.value;
    const isSame = before?.from === from && before.to === to;
    if (before?.state === 'running') {
      if (isSame) return before;
      throw new ApiError('InvalidParameter', `the ${kind} are being moved from "${before.from}" to "${before.to}"`);
    }
    const order: MigrationOrder = {
      ...planned,
      state: 'running',
      phase: 'copying',
      ordered_at: new Date(store.now()).toISOString(),
      done: 0,
      nonce: isSame && before.state === 'failed' ? before.nonce : newUuid(),
      rev: (before?.rev ?? 0) + 1,
    };
    await store.batch([{ op: 'put', bucket: MIGRATIONS, key: kind, value: order, ifEtag: found?.etag ?? null }]);
    return order;
  });
}

export async function noteMigration(
  store: Store,
  { kind, nonce }: Pick<MigrationOrder, 'kind' | 'nonce'>,
  change: Partial<MigrationOrder>,
): Promise<void> {
  await updateObject(store, MIGRATIONS, kind, (current) =>
    current.nonce === nonce ? { ...current, ...change, rev: current.rev + 1 } : undefined,
  );
}

export async function endMigration(
  store: Store,
  order: Pick<MigrationOrder, 'kind' | 'nonce'>,
  outcome: Partial<Migration> & Pick<Migration, 'state'>,
): Promise<void> {
  await updateObject(store, MIGRATIONS, order.kind, ({ phase: _, ...current }) =>
    current.nonce === order.nonce
      ? { ...current, ...outcome, ended_at: new Date(store.now()).toISOString(), rev: current.rev + 1 }
      : undefined,
  );
}

/** The last one of the kind. */
export async function findMigration(store: Store, kind: MigrationKind): Promise<MigrationOrder | undefined> {
  return (await store.get(MIGRATIONS, kind))?.value;
}

export async function runningMigration(store: Store, kind: MigrationKind): Promise<MigrationOrder | undefined> {
  const found = await findMigration(store, kind);
  return found?.state === 'running' ? found : undefined;
}

/** In no particular order. */
export async function listMigrations(store: Store): Promise<Migration[]> {
  return (await store.find(MIGRATIONS, {})).map(({ value }) => shownMigration(value));
}

export function shownMigration({ nonce: _nonce, noting: _noting, rev: _rev, ...migration }: MigrationOrder): Migration {
  return migration;
}
