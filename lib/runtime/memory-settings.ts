/**
 * How the memory of a server is managed, so that what is no longer used goes back to the system. Both allocators take
 * their settings before a process begins only, so one that was started without them begins once more, as the same
 * process: whoever started it (a shell, `make run`, systemd, SMF) sees one, and none of them has to know the settings.
 *
 * What whoever started it has chosen for a setting is left.
 */

/**
 * glibc gives each thread an arena of its own, and what one thread frees another cannot use: with threads that hash,
 * read files and search, hundreds of megabytes lie idle after a while. And it takes ever larger pieces from these
 * arenas, once the first of such a size was freed, instead of from the system, where they go back to at once.
 */
const MALLOC: Readonly<Record<string, string>> = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: String(128 * 1024),
  MALLOC_TRIM_THRESHOLD_: String(1024 * 1024),
};

/**
 * V8 would let new objects fill 48 MB, and the others grow to four times of what is in use, before it looks at them:
 * the machine has room for it. There would be twice as much memory for a tenth less of time.
 */
const V8 = ['--max-semi-space-size=8', '--heap-growing-percent=50'];

/** To be called first of all. */
export function useMemorySettings(): void {
  const { platform, env, execArgv, execve } = process;
  const malloc = platform === 'linux' ? missingIn(env) : {};
  const given = [...execArgv, env['NODE_OPTIONS'] ?? ''].join(' ').replaceAll('_', '-');
  const v8 = V8.filter((option) => !given.includes(option.replace(/=.*/, '')));
  if (execve === undefined || (v8.length === 0 && Object.keys(malloc).length === 0)) return;
  // Told to this call alone, which is no experiment here: a warning in everybody's log would help nobody.
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    process.execve?.(process.execPath, [process.argv0, ...v8, ...execArgv, ...process.argv.slice(1)], {
      ...env,
      ...malloc,
    });
  } catch {
    // It goes on as it is, and takes more memory.
  }
  process.emitWarning = emitWarning;
}

function missingIn(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(Object.entries(MALLOC).filter(([name]) => env[name] === undefined));
}
