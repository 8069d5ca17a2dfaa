/**
 * Settings of a server's process: of memory, chosen so that unused memory goes back to the system, and of threads. All of
 * them are read only when a process begins. A process that was started without them therefore executes itself
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
 * Threads that wait for the disk. Node's four can all be syncing files that are uploaded, and a read, or a batch of
 * documents, would wait behind them.
 */
export const THREAD_SETTINGS: Readonly<Record<string, string>> = { UV_THREADPOOL_SIZE: '16' };

/**
 * On a machine with much memory, V8 would let new objects fill 48 MB, and old ones grow to four times what is in use,
 * before it collects garbage. That would take twice as much memory to save a tenth of the time.
 */
export const V8_SETTINGS = ['--max-semi-space-size=8', '--heap-growing-percent=50'];

/** Call it before anything else. @param also variables that the process is to have if it executes itself again */
export function useMemorySettings(also: Readonly<Record<string, string>> = {}): void {
  const { platform, env, execArgv, execve } = process;
  const missing = { ...missingIn(env, THREAD_SETTINGS), ...(platform === 'linux' && missingIn(env, MALLOC_SETTINGS)) };
  const given = [...execArgv, env['NODE_OPTIONS'] ?? ''].join(' ').replaceAll('_', '-');
  const v8 = V8_SETTINGS.filter((option) => !given.includes(option.replace(/=.*/, '')));
  if (execve === undefined || (v8.length === 0 && Object.keys(missing).length === 0)) return;
  // execve warns that it is experimental, which would be of no use in the log of every server.
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    process.execve?.(process.execPath, [process.argv0, ...v8, ...execArgv, ...process.argv.slice(1)], {
      ...env,
      ...missing,
      ...missingIn(env, also),
    });
  } catch {
    // The process continues without the settings, and takes more memory.
  }
  process.emitWarning = emitWarning;
}

function missingIn(env: NodeJS.ProcessEnv, settings: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(settings).filter(([name]) => env[name] === undefined));
}
