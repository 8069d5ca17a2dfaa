/** The secret that opens the administration routes: only whoever may read the server's data directory has it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { listeningPorts, portOf } from '#src/config/listening.ts';
import { CommandError } from '../framework/errors.ts';

const WHY: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'this user may not read it',
  ENOTDIR: 'the data directory is no directory',
};

/** Whether a server of this data directory listens there: the directory's secret goes to such a server and no other. */
export async function isServedHere(url: string, dataDir: string): Promise<boolean> {
  return isLoopback(url) && (await listeningPorts(dataDir)).includes(portOf(url));
}

/** @throws CommandError OperatorSecretMissing, OperatorSecretElsewhere */
export async function tokenFor(url: string, dataDir: string): Promise<string> {
  const token = await readOperatorToken(dataDir);
  if (await isServedHere(url, dataDir)) return token;
  const ports = await listeningPorts(dataDir);
  const where = ports.length === 0 ? 'which does not run' : `which listens on port ${ports.join(', ')} of this machine`;
  throw new CommandError(`the operator's secret is not sent to ${url}: it is for the server of ${dataDir}, ${where}`, {
    code: 'OperatorSecretElsewhere',
    details: [
      "administration is done on the server's machine; name its data directory with --data-dir, IMGAPI_DATA_DIR or --config",
    ],
  });
}

function isLoopback(url: string): boolean {
  const { hostname } = new URL(url);
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname);
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
