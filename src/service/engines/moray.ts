import { StoreUnavailableError } from '#lib/documents/errors.ts';
import { type MorayStoreOptions, openMorayStore } from '#lib/documents/moray/store.ts';
import { presenceFence } from '#lib/documents/moving/presence-fence.ts';
import { PresentStore } from '#lib/documents/moving/present-store.ts';
import type { Store } from '#lib/documents/store.ts';
import { pause } from '#lib/runtime/timers.ts';
import { ConfigError } from '../config/config-error.ts';
import type { DocumentEngine } from './opening.ts';

const NAME = 'moray';
/** Until Moray is asked again, which it was for as long as a call may take. */
const PAUSE_MS = 200;

export const moray: DocumentEngine = {
  async open({ config, log, observe, clock, worker }, since) {
    if (config.moray === undefined) throw new ConfigError(NAME, ['missing']);
    const { host, port, maxConnections: connections, timeoutSeconds, startSeconds } = config.moray;
    const options = {
      ...{ host, port, connections, log },
      patience: timeoutSeconds * 1000,
      ...(observe && { observer: observe(NAME) }),
      ...(clock && { clock }),
    };
    const end = performance.now() + startSeconds * 1000;
    for (;;) {
      const opened = await tried(options);
      if (!(opened instanceof StoreUnavailableError)) {
        const present = new PresentStore(opened, { worker, since, callMs: 2 * options.patience, log });
        return { store: present, fence: presenceFence({ present, open: () => openMorayStore(options) }) };
      }
      if (performance.now() >= end) throw opened;
      log.warn({ err: opened, host, port }, 'Moray does not answer yet');
      await pause(PAUSE_MS);
    }
  },
  refuse:
    ({ moray: section }) =>
    (cause) => {
      if (!(cause instanceof StoreUnavailableError)) throw cause;
      const place = `${section?.host}:${section?.port}`;
      throw new ConfigError(NAME, [`${place} cannot be used: ${cause.message}`], { cause });
    },
};

async function tried(options: MorayStoreOptions): Promise<Store | StoreUnavailableError> {
  try {
    return await openMorayStore(options);
  } catch (error) {
    if (error instanceof StoreUnavailableError) return error;
    throw error;
  }
}
