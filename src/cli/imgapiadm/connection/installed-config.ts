/** The configuration of the server that is installed on this machine, which nobody has to name. */
import { stat } from 'node:fs/promises';

/** Where the Debian package and the systemd unit have it, and where the SMF manifest has it in a Triton zone. */
export const INSTALLED_CONFIGS: readonly string[] = [
  '/etc/imgapi/imgapi.config.json',
  '/data/imgapi/etc/imgapi.config.json',
];

/** The first of these files that is there, whether or not this user may read it. */
export async function firstThere(files: readonly string[]): Promise<string | undefined> {
  for (const file of files) {
    if (await stat(file).catch(() => undefined)) return file;
  }
  return undefined;
}
