/** What an operator asks for: a plan, or an order that a task carries out. */
import { invalidParameter } from '#lib/api/errors/api-error.ts';
import { MIGRATION_KINDS, type Migration } from '#lib/api/schemas/migration.ts';
import type { DatabaseType } from '../service/config/config.ts';
import type { Service } from '../service/service.ts';
import { assertMayWait, assertReachable, planDocuments } from './documents-plan.ts';
import { planFiles } from './files-plan.ts';
import { orderMigration, runningMigration, shownMigration } from './orders.ts';

export interface MigrationWish {
  readonly kind: string;
  readonly to: string;
  /** Of files; default: local. */
  readonly from?: string;
  /** Only plan. */
  readonly dryRun: boolean;
  /** Of documents: calls may wait all the while. */
  readonly isOffline: boolean;
}

const PLANS = { documents: planDocuments, files: planFiles } as const;

/** @throws 422 */
export async function migrate(
  service: Service,
  { kind: name, to, from, dryRun, isOffline }: MigrationWish,
): Promise<Migration> {
  const kind = MIGRATION_KINDS.find((one) => one === name);
  if (!kind) throw invalidParameter('kind', `kind is "${name}"; it must be one of ${MIGRATION_KINDS.join(', ')}`);
  const running = await runningMigration(service.store, kind);
  if (running?.to === to) return shownMigration(running);
  const planned = await PLANS[kind](service, to, from);
  if (!dryRun) {
    if (kind === 'documents') assertMayWait(service, isOffline);
    return shownMigration(await orderMigration(service.store, planned));
  }
  if (kind === 'documents') await assertReachable(service, to as DatabaseType);
  return { ...planned, state: 'planned', done: 0, ordered_at: new Date(service.store.now()).toISOString() };
}
