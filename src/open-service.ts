/** Opens the stores of a configuration: what a server works on, and a command that works on the same data beside it. */
import type Logger from 'bunyan';
import type { CachedAccounts } from '#lib/accounts/cache.ts';
import { isRestoreUnfinished } from '#lib/backup/marker.ts';
import type { ObjectStore } from '#lib/objects/object-store.ts';
import { type Clock, systemClock } from '#lib/runtime/clock.ts';
import { newProcessName } from '#lib/runtime/process-name.ts';
import { BUCKETS } from './buckets.ts';
import { archiveNotes } from './images/files/to-archive.ts';
import type { Config } from './service/config/config.ts';
import { ConfigError } from './service/config/config-error.ts';
import { prepareDataFolder, refusal } from './service/data-folder.ts';
import { openAccounts } from './service/engines/accounts.ts';
import { openDocuments, refuseDocuments } from './service/engines/documents.ts';
import { assertAtHome } from './service/engines/home.ts';
import { faultsFrom } from './service/fault-points.ts';
import { type OpenObjects, openStorage } from './service/open-storages.ts';
import { ensureOperatorToken, operatorTokenPath } from './service/operator-token.ts';
import { OwnAddresses } from './service/own-addresses.ts';
import type { Service } from './service/service.ts';
import { Storages } from './service/storages.ts';
import type { StoreMetrics } from './service/store-metrics.ts';

export interface OpenServiceOptions {
  readonly log: Logger;
  /** Given by tests only, in place of the system's and of the database's own. */
  readonly clock?: Clock | undefined;
  /** See `fault-points.ts`. */
  readonly fault?: string | undefined;
  readonly metrics?: StoreMetrics | undefined;
  /** Given by tests only: opens the object stores. */
  readonly openObjects?: OpenObjects | undefined;
}

/** @param opened gets what is to be closed afterwards, in reverse order, also if this fails */
export async function openService(
  config: Config,
  { log, clock: given, fault, metrics, openObjects }: OpenServiceOptions,
  opened: (() => Promise<unknown>)[],
): Promise<Service> {
  const clock = given ?? systemClock;
  if (isRestoreUnfinished(config.dataDir)) {
    throw new ConfigError('dataDir', [`the restore into ${config.dataDir} is unfinished: run imgapiadm restore again`]);
  }
  await prepareDataFolder(config, log);
  await ensureOperatorToken(config.dataDir).catch(refusal(`${operatorTokenPath(config.dataDir)} cannot be used`));
  const observe = (kind: 'document' | 'object') => metrics?.observe(kind);
  const worker = newProcessName();
  const documents = {
    config,
    log,
    observe: observe('document'),
    buckets: BUCKETS,
    alongWith: archiveNotes,
    clock: given,
    worker,
  };
  const store = await openDocuments(documents);
  opened.push(() => store.close());
  const isInFolder = store.place.type === 'local';
  await assertAtHome(store, config, { isInFolder, log }).catch((error: unknown) =>
    refuseDocuments(store, config, error),
  );
  const objects = { config, log, observe: observe('object'), documents: store };
  const stores: ObjectStore[] = [];
  for (const type of config.storageTypes) {
    const storage = await openStorage(type, objects, openObjects).catch((error: unknown) =>
      refuseDocuments(store, config, error),
    );
    opened.push(() => storage.close());
    stores.push(storage);
  }
  const accounts = config.mode === 'dc' ? await openDirectory(config, { log, clock, metrics }) : undefined;
  if (accounts) opened.push(() => accounts.close());
  const faults = faultsFrom(fault);
  const ownAddresses = new OwnAddresses();
  const storages = new Storages(config, ...stores);
  return { config, store, documents: store, storages, accounts, clock, log, worker, faults, ownAddresses };
}

function openDirectory(
  config: Config,
  { log, clock, metrics }: Pick<OpenServiceOptions, 'log' | 'metrics'> & { readonly clock: Clock },
): Promise<CachedAccounts> {
  const observe = metrics?.observe('account');
  return openAccounts({ config, log, clock, observe, onLookUp: metrics?.onLookUp() });
}
