/**
 * SIGHUP from the beginning of a process: service managers send it as soon as they take a server for started, and it would
 * end one that does not know yet what to do with it, for good, since managers take that for an end that was wanted.
 */

let act: (() => void) | undefined;
let hasCome = false;

/** What comes from now on waits for {@link onHangup}. From a terminal it means the end, as ever. */
export function holdHangups(): void {
  if (!isOnTerminal()) process.on('SIGHUP', hear);
}

/** Sets what a SIGHUP does; one that has come before does it now. */
export function onHangup(action: () => void): void {
  act = action;
  process.off('SIGHUP', hear);
  process.on('SIGHUP', hear);
  if (!hasCome) return;
  hasCome = false;
  action();
}

export function isOnTerminal(): boolean {
  return process.stdout.isTTY || process.stderr.isTTY;
}

function hear(): void {
  if (act) act();
  else hasCome = true;
}
