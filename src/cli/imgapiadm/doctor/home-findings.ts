/** Documents that are another datacenter's, or a copy of those that a server still runs on. */
import type { Config } from '#src/service/config/config.ts';
import { asCopy, type Home, ofAnother, originalOf } from '#src/service/config/home.ts';
import type { Finding } from './finding.ts';

/** @param known what the documents have of their home; absent: no server has noted it */
export async function homeFindings(known: Home | undefined, config: Config): Promise<Finding[]> {
  if (known === undefined) return [];
  const original = config.databaseType === 'local' ? await originalOf(known, config.dataDir) : undefined;
  const found = [ofAnother(known, config), original && asCopy(original, config.dataDir)];
  return found.flatMap((misplaced) => (misplaced ? [{ part: 'stores' as const, ...misplaced }] : []));
}
