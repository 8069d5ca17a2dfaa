/** What a server's process would give itself, so that it need not execute itself again: hundreds are started. */
import { MALLOC_SETTINGS, THREAD_SETTINGS, V8_SETTINGS } from '#lib/runtime/memory-settings.ts';

/** Compiled modules are kept for all processes, what they load before their own code too. */
const CACHE = { NODE_COMPILE_CACHE: new URL('../../build/compile-cache', import.meta.url).pathname };

interface Given {
  /** Options of node. */
  readonly options: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** @param bare without any settings, as by anybody's hand */
export function asStarted(bare = false): Given {
  return bare
    ? { options: [], env: CACHE }
    : { options: V8_SETTINGS, env: { ...MALLOC_SETTINGS, ...THREAD_SETTINGS, ...CACHE } };
}
