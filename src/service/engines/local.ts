import { join } from 'node:path';
import { storeFailure } from '#lib/objects/local/failure.ts';
import { openLocalStore } from '#lib/objects/local/store.ts';
import { isDiskIll } from '#lib/runtime/disk-takes-writes.ts';
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
  }).catch((error: unknown) => {
    // It may be well again; who may use the folder is a matter of how the server was installed.
    throw isDiskIll(error) ? storeFailure(error) : error;
  });
};
