import { join } from 'node:path';
import { openLocalStore } from '#lib/objects/local/store.ts';
import type { ObjectEngine } from './opening.ts';

export const openLocal: ObjectEngine = ({ config, log, observe, documents }) => {
  const { quotaBytes: quota, headroomBytes: headroom } = config.storage;
  return openLocalStore({
    root: join(config.dataDir, 'storage'),
    headroom,
    log,
    // The age of other processes' files is judged by the clock that all share.
    clock: documents,
    ...(quota !== undefined && { quota }),
    ...(observe && { observer: observe('local') }),
  });
};
