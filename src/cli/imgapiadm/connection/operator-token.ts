/** The secret that opens the administration routes: only those who may read the server's data directory have it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isReachedBy, listeningUrls } from '#src/service/config/listening.ts';
import { CommandError } from '../../framework/errors.ts';
import { EXIT } from '../../framework/exit-codes.ts';

const WHY: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'this user may not read it',
  ENOTDIR: 'the data directory is not a directory',
};

/** Whether a server of this data directory listens there: the directory's secret goes to such a server and no other. */
export async function isServedHere(url: string, dataDir: string): Promise<boolean> {
  return isReachedBy(await listeningUrls(dataDir), url);
}

/** @throws CommandError OperatorSecretMissing, ServerDoesNotRun, OperatorSecretElsewhere */
export async function tokenFor(url: string, dataDir: string): Promise<string> {
  const token = await readOperatorToken(dataDir);
  const servers = await listeningUrls(dataDir);
  if (isReachedBy(servers, url)) return token;
  if (servers.length === 0) {
    throw new CommandError(`the server of ${dataDir} is not running on this machine`, {
      code: 'ServerDoesNotRun',
      exitCode: EXIT.unreachable,
      details: ['start it, or name the data directory of another with --data-dir, IMGAPI_DATA_DIR or --config'],
    });
  }
  const where = servers.join(' and ');
  throw new CommandError(
    `the operator's secret is not sent to ${url}: it is for the server of ${dataDir}, which listens at ${where}`,
    {
      code: 'OperatorSecretElsewhere',
      details: [
        "administration is done on the server's machine; name its data directory with --data-dir, IMGAPI_DATA_DIR or --config",
      ],
    },
  );
}

/** @throws CommandError OperatorSecretMissing */
export async function readOperatorToken(dataDir: string): Promise<string> {
  const file = join(dataDir, 'keys', 'operator.token');
  let text: string;
  try {
    text = (await readFile(file, 'utf8')).trim();
  } catch (cause) {
    const { code = '', message } = cause as NodeJS.ErrnoException;
    throw missing(file, WHY[code] ?? message, cause);
  }
  // It goes into a header as it is.
  if (!/^[\x21-\x7e]+$/.test(text)) throw missing(file, 'it holds no secret');
  return text;
}

function missing(file: string, why: string, cause?: unknown): CommandError {
  return new CommandError(`cannot read the operator's secret from ${file}: ${why}`, {
    code: 'OperatorSecretMissing',
    details: ["name the server's data directory with --data-dir, IMGAPI_DATA_DIR or --config"],
    cause,
  });
}
