/**
 * Modules as Node left them when it had compiled them last: a start that finds them takes half the time, and memory that
 * stripping types would take is never asked for. Only a help: without the folder everything is compiled again.
 */
import { enableCompileCache, getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Below the installation, so that whoever may write to it could change the program anyway. */
const FOLDER = fileURLToPath(new URL('../../build/compile-cache', import.meta.url));

/** For what is imported from now on, so call it before `import()`. A folder named by NODE_COMPILE_CACHE goes first. */
export function useCompileCache(): void {
  enableCompileCache(FOLDER);
}

/** What a thread must find in its environment to use the cache too: it does not inherit it. */
export function compileCacheEnvironment(): NodeJS.ProcessEnv {
  const directory = getCompileCacheDir();
  // The directory that is told is the one for this version of Node, in the one that was named.
  return directory === undefined ? {} : { NODE_COMPILE_CACHE: dirname(directory) };
}
