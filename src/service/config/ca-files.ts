/** All files of authorities that a configuration names. */
import { readCaFile } from './ca-file.ts';
import type { Config } from './config.ts';
import type { ConfigError } from './config-error.ts';

/** A line for each of the files, of those that the server reads when it starts, that would keep it from starting. */
export async function caFileProblems(config: Config): Promise<string[]> {
  const { databaseType, storageTypes, postgres, s3, manta, ufds } = config;
  const named = [
    ['postgres', databaseType === 'postgres' ? postgres : undefined],
    ['s3', storageTypes.includes('s3') ? s3 : undefined],
    ['manta', storageTypes.includes('manta') ? manta : undefined],
    ['ufds', ufds],
  ] as const;
  const read = named.map(async ([section, keys]) => {
    if (keys?.caFile === undefined) return [];
    const key = `${section}.caFile`;
    return readCaFile(key, keys.caFile).then(
      () => [],
      ({ problems }: ConfigError) => problems,
    );
  });
  return (await Promise.all(read)).flat();
}
