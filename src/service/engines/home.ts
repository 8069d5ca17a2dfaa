/** Refuses to start on documents that are another datacenter's, or a copy of those that a server still runs on. */
import type Logger from 'bunyan';
import { madeOnFirstUse } from '#lib/documents/first-use.ts';
import type { Store } from '#lib/documents/store.ts';
import { updateObject } from '#lib/documents/update.ts';
import { ConfigError } from '../config/config-error.ts';
import {
  asCopy,
  datacenterOf,
  HOME,
  HOME_KEY,
  type Home,
  type Housed,
  type Misplaced,
  ofAnother,
  originalOf,
  placeOf,
} from '../config/home.ts';

/**
 * On first use, notes the datacenter and the folder.
 * @param isInFolder whether the documents lie in the data folder
 * @throws ConfigError if they are another datacenter's, or if a server runs on what this folder is a copy of
 */
export async function assertAtHome(
  store: Store,
  config: Housed,
  { isInFolder, log }: { readonly isInFolder: boolean; readonly log: Logger },
): Promise<void> {
  const datacenter = datacenterOf(config);
  const own: Home = {
    ...(datacenter !== undefined && { datacenter }),
    ...(isInFolder && (await placeOf(config.dataDir))),
  };
  const { value: known } = await madeOnFirstUse(store, HOME, HOME_KEY, () => own);
  const foreign = ofAnother(known, config);
  if (foreign) throw refusal('datacenterName', foreign);
  const original = isInFolder ? await originalOf(known, config.dataDir) : undefined;
  if (original) {
    const copy = asCopy(original, config.dataDir);
    if (original.servers.length > 0) throw refusal('dataDir', copy);
    log.warn({ original: original.folder }, `${copy.problem}: ${copy.mend}`);
  }
  const isRenamed = known.datacenter !== own.datacenter;
  if (!isRenamed && Object.entries(own).every(([key, value]) => known[key as keyof Home] === value)) return;
  if (isRenamed && known.datacenter !== undefined) {
    const to = own.datacenter === undefined ? 'is none from now on' : 'has another name from now on';
    log.warn({ from: known.datacenter, to: own.datacenter }, `the datacenter ${to}`);
  }
  await updateObject(store, HOME, HOME_KEY, ({ datacenter: _, ...before }) => ({ ...before, ...own }));
}

function refusal(key: string, { problem, mend }: Misplaced): ConfigError {
  return new ConfigError(key, [`${problem}: ${mend}`]);
}
