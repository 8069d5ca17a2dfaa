/** The files that a configuration names, and what is wrong with them. */
import { readFile } from 'node:fs/promises';
import { readCaFile } from './ca-file.ts';
import type { Config } from './config.ts';
import type { ConfigError } from './config-error.ts';
import { readMantaKey } from './manta-key.ts';

/** A line for each of the files, of those that the server reads when it starts, that would keep it from starting. */
export async function fileProblems(config: Config): Promise<string[]> {
  const { databaseType, storageTypes, postgres, s3, manta, ufds } = config;
  const usedManta = storageTypes.includes('manta') ? manta : undefined;
  const named = [
    ['postgres', databaseType === 'postgres' ? postgres : undefined],
    ['s3', storageTypes.includes('s3') ? s3 : undefined],
    ['manta', usedManta],
    ['ufds', ufds],
  ] as const;
  const read = named.map(async ([section, keys]) => {
    if (keys?.caFile !== undefined) await readCaFile(`${section}.caFile`, keys.caFile);
  });
  if (usedManta) read.push(readMantaKey(usedManta).then(() => {}));
  const problems = read.map((reading) => reading.then(NONE, (error: ConfigError) => error.problems));
  return (await Promise.all(problems)).flat();
}

/** A line for each file that the server starts without, and then lacks. */
export async function notesOnFiles({ mode, ufds, accounts, tokens, webhooks }: Config): Promise<string[]> {
  const lacking: Promise<string[]>[] = [];
  if (mode === 'dc' && !ufds) {
    const { parseAccountsDocument } = await import('#lib/accounts/file/accounts-document.ts');
    const until = 'until then there is no directory of accounts, and what needs it answers 503';
    lacking.push(unusable('accounts.file', accounts.file, until, parseAccountsDocument));
  }
  if (tokens?.jwksFile !== undefined) {
    lacking.push(unusable('tokens.jwksFile', tokens.jwksFile, 'until then no token is accepted'));
  }
  for (const [at, { secretFile }] of webhooks.entries()) {
    lacking.push(unusable(`webhooks[${at}].secretFile`, secretFile, 'until then nothing is delivered there'));
  }
  return (await Promise.all(lacking)).flat();
}

const NONE = (): readonly string[] => [];

async function unusable(
  key: string,
  path: string,
  until: string,
  parse: (text: string) => unknown = () => undefined,
): Promise<string[]> {
  const text = await readFile(path, 'utf8').catch((error: Error) => error);
  if (text instanceof Error) return [`${key}: ${path} cannot be read: ${text.message}; ${until}`];
  try {
    parse(text);
    return [];
  } catch (error) {
    return [`${key}: ${path}: ${(error as Error).message}; ${until}`];
  }
}
