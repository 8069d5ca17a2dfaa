import { isRefusal } from '#lib/objects/manta/failure.ts';
import { openMantaStore } from '#lib/objects/manta/store.ts';
import { documentRegister } from '#lib/objects/staging/document-register.ts';
import { readCaFile } from '../config/ca-file.ts';
import { ConfigError } from '../config/config-error.ts';
import { readMantaKey } from '../config/manta-key.ts';
import type { ObjectEngine } from './opening.ts';

const NAME = 'manta';

export const openManta: ObjectEngine = async ({ config, log, observe, documents }) => {
  const { manta, mode, datacenterName } = config;
  if (manta === undefined) throw new ConfigError(NAME, ['missing']);
  const { url, user, subuser, baseDir, insecure, caFile, copies, maxConnections, timeoutSeconds } = manta;
  const key = await readMantaKey(manta);
  const ca = caFile === undefined ? undefined : await readCaFile('manta.caFile', caFile);
  try {
    return await openMantaStore({
      ...{ name: NAME, url, user, subuser, key, baseDir, insecure, ca, copies, log },
      // As today's IMGAPI, which keeps the files of datacenters apart, and those of image servers not.
      datacenter: mode === 'dc' ? datacenterName : undefined,
      maxSockets: maxConnections,
      timeout: timeoutSeconds * 1000,
      register: documentRegister(documents, NAME),
      clock: documents,
      ...(observe && { observer: observe(NAME) }),
    });
  } catch (error) {
    const { message, cause } = error as Error;
    if (isRefusal(cause)) throw new ConfigError(NAME, [message], { cause: error });
    throw error;
  }
};
