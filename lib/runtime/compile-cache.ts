/**
 * Caches compiled modules. With the cache a start takes half the time, and the memory that stripping types needs is
 * never allocated. Without it everything still works, and is compiled again.
 */
import { enableCompileCache, getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Within the installation: a user who may write there could change the program anyway. */
const FOLDER = fileURLToPath(new URL('../../build/compile-cache', import.meta.url));

/**
 * The cache from the first module of a process on, by its environment. Otherwise Node loads what strips types, some 60 ms, for the
 * few modules that come before {@link useCompileCache}.
 */
export const COMPILE_CACHE_SETTINGS: Readonly<Record<string, string>> = { NODE_COMPILE_CACHE: FOLDER };

/** Applies to later imports, so call it before `import()`. A folder named by NODE_COMPILE_CACHE takes precedence. */
export function useCompileCache(): void {
  enableCompileCache(FOLDER);
}

/** The environment that a thread needs to use the cache too: it does not inherit the setting. */
export function compileCacheEnvironment(): NodeJS.ProcessEnv {
  const directory = getCompileCacheDir();
  // Node reports the subfolder for its version; the setting names the folder above it.
  return { ...(directory !== undefined && { NODE_COMPILE_CACHE: dirname(directory) }) };
}
