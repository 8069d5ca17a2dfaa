/**
 * Memory that threads give back. glibc gives each thread an arena of its own, and what one thread frees another cannot
 * use: with threads that hash, read files and search, hundreds of megabytes lie idle after a while. How many arenas
 * there are has to be said before a process begins, so a process that was not told begins once more, as the same
 * process: whoever started it (a shell, `make run`, systemd) sees one.
 */
const VARIABLE = 'MALLOC_ARENA_MAX';
const ARENAS = '2';

/** To be called first of all. Where the variable is set already, or means nothing, nothing happens. */
export function useFewArenas(): void {
  const { platform, env, execve } = process;
  if (platform !== 'linux' || env[VARIABLE] !== undefined || execve === undefined) return;
  // Told to this call alone, which is no experiment here: a warning in everybody's log would help nobody.
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    process.execve?.(process.execPath, [process.argv0, ...process.execArgv, ...process.argv.slice(1)], {
      ...env,
      [VARIABLE]: ARENAS,
    });
  } catch {
    // It goes on as it is, and takes more memory.
  }
  process.emitWarning = emitWarning;
}
