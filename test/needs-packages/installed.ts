/** Commands that come from Debian packages, for tests that need them. */
import { spawnSync } from 'node:child_process';

/** The reason to skip a test, or false when the command is here. */
export function missing(command: string): string | false {
  const found = spawnSync('sh', ['-c', `command -v ${command}`]).status === 0;
  return found ? false : `${command} is not installed`;
}

/** What the command says about its arguments: empty when it is content. */
export function complaints(command: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  return status === 0 ? '' : `${stdout}${stderr}` || `${command} ended with ${status}`;
}
