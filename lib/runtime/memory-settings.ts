/**
 * Memory settings of a server, chosen so that unused memory goes back to the system. Both allocators (glibc's and V8's)
 * read their settings only when a process begins. A process that was started without them therefore executes itself
 * again, under the same process id: its parent (a shell, `make run`, systemd, SMF) need not know the settings.
 *
 * Settings that the parent has chosen are kept.
 */

/**
 * glibc gives each thread an arena of its own, and memory that one thread frees cannot be used by another. With threads
 * that hash, read files and search, hundreds of megabytes lie idle after a while. Also, once a large block was freed,
 * glibc takes blocks up to that size from the arenas, not from the system, to which they would be returned immediately.
 */
export const MALLOC_SETTINGS: Readonly<Record<string, string>> = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: String(128 * 1024),
  MALLOC_TRIM_THRESHOLD_: String(1024 * 1024),
};

/**
 * On a machine with much memory, V8 would let new objects fill 48 MB, and old ones grow to four times what is in use,
 * before it collects garbage. That would take twice as much memory to save a tenth of the time.
 */
export const V8_SETTINGS = ['--max-semi-space-size=8', '--heap-growing-percent=50'];

/** Call it before anything else. */
export function useMemorySettings(): void {
  const { platform, env, execArgv, execve } = process;
  const malloc = platform === 'linux' ? missingIn(env) : {};
  const given = [...execArgv, env['NODE_OPTIONS'] ?? ''].join(' ').replaceAll('_', '-');
  const v8 = V8_SETTINGS.filter((option) => !given.includes(option.replace(/=.*/, '')));
  if (execve === undefined || (v8.length === 0 && Object.keys(malloc).length === 0)) return;
  // execve warns that it is experimental, which would be of no use in the log of every server.
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    process.execve?.(process.execPath, [process.argv0, ...v8, ...execArgv, ...process.argv.slice(1)], {
      ...env,
      ...malloc,
    });
  } catch {
    // The process continues without the settings, and takes more memory.
  }
  process.emitWarning = emitWarning;
}

function missingIn(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(Object.entries(MALLOC_SETTINGS).filter(([name]) => env[name] === undefined));
}
