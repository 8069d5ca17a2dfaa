/** What is wrong with a configuration file: what the server refuses, keys that there are not, and secrets that others may read. */
import { stat } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { hasCode } from '#lib/runtime/absence.ts';
import type { ConfigError } from '#src/service/config/config-error.ts';
import type { LoadedConfig } from '#src/service/config/load.ts';
import { secretsIn } from '#src/service/config/secrets.ts';
import type { Finding } from './finding.ts';

const OTHERS_READ = 0o004;
const GROUP_READS = 0o040;

/** What keeps the server from starting with it. Each problem names the file. */
export function refusedConfig({ message, cause }: ConfigError): Finding[] {
  const mend = hasCode(cause, 'EACCES')
    ? "let the server's user read it (chown or chgrp, and chmod u+r or g+r), and run this as that user"
    : hasCode(cause, 'ENOENT')
      ? 'write it, or name another one with --config'
      : 'correct the file; imgapiadm check-config says whether it is right';
  return message.split('\n').map((problem) => ({ part: 'configuration', problem, mend }));
}

/** @param loaded of the file */
export async function lookAtConfig(file: string, loaded: LoadedConfig): Promise<Finding[]> {
  const { config, given, unknownKeyProblems } = loaded;
  const mend = `correct or remove it in ${file}`;
  const unknown = unknownKeyProblems.map((problem) => ({
    ...{ part: 'configuration' as const, problem: `${file}: ${problem}`, mend },
  }));
  return [...unknown, ...(await openSecrets(file, secretsIn(given), config.dataDir))];
}

/** A note if the data directory depends on the folder in which the server is started. */
export function relativeFolder(file: string, { config, given: { dataDir } }: LoadedConfig): string[] {
  if (typeof dataDir !== 'string' || isAbsolute(dataDir)) return [];
  return [
    `dataDir in ${file} is relative, so that the server takes it from the folder in which it is started; ${config.dataDir} was looked at: write the whole path`,
  ];
}

/** @param dataDir belongs to the server's user and group */
async function openSecrets(file: string, keys: readonly string[], dataDir: string): Promise<Finding[]> {
  if (keys.length === 0) return [];
  const { mode, gid } = await stat(file);
  const service = (await stat(dataDir).catch(() => undefined))?.gid;
  const isOthers = (mode & OTHERS_READ) !== 0;
  const isGroups = (mode & GROUP_READS) !== 0 && gid !== 0 && gid !== service && !process.getgroups?.().includes(gid);
  if (!isOthers && !isGroups) return [];
  const who = isOthers ? 'all users of this machine' : `the users of group ${gid}`;
  const problem = `${file} may be read by ${who}, and has secrets in it: ${keys.join(', ')}`;
  const mend = `chmod ${isOthers && !isGroups ? 'o=' : 'go='} ${file}; the server's user must still be able to read it`;
  return [{ part: 'configuration', problem, mend }];
}
