/** The secret that opens the administration routes: only whoever may read the server's data directory has it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CommandError } from '../framework/errors.ts';

const WHY: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'this user may not read it',
  ENOTDIR: 'the data directory is no directory',
};

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
