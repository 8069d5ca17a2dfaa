/** Opens an encrypted private key: by a variable, by a file, or by asking whoever sits at the terminal. */
import { readFile } from 'node:fs/promises';
import type { KeyPair } from 'smartdc-auth';
import type { Environment } from '../framework/command.ts';
import { CommandError } from '../framework/errors.ts';

const VARIABLE = 'TRITON_PASSPHRASE';
const FILE_VARIABLE = 'TRITON_PASSPHRASE_FILE';
const TRIES = 3;

export const PASSPHRASE_ENVIRONMENT: Readonly<Record<string, string>> = {
  [FILE_VARIABLE]: 'A file whose first line is the passphrase of an encrypted key, where no terminal can ask for it.',
  [VARIABLE]: 'The passphrase itself; other programs of the same user can read it.',
};

/** @param file of the key, for messages. @throws CommandError KeyLocked, KeyPassphrase, PassphraseFile */
export async function unlock(pair: KeyPair, file: string, env: Environment): Promise<void> {
  const given = await givenPassphrase(env);
  if (given !== undefined) {
    if (opens(pair, given.passphrase)) return;
    throw wrong(file, `in ${given.from}`);
  }
  const { askHidden } = await import('../framework/ask-hidden.ts');
  for (let left = TRIES; left > 0; left--) {
    const passphrase = await askHidden(`Passphrase of ${file}: `);
    if (passphrase === undefined) throw locked(file);
    if (opens(pair, passphrase)) return;
  }
  throw wrong(file, 'that was typed');
}

interface Given {
  readonly passphrase: string;
  readonly from: string;
}

async function givenPassphrase(env: Environment): Promise<Given | undefined> {
  const file = env[FILE_VARIABLE];
  if (file) {
    try {
      const [passphrase = ''] = (await readFile(file, 'utf8')).split(/\r?\n/, 1);
      return { passphrase, from: file };
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new CommandError(`${FILE_VARIABLE} names a file that cannot be read: ${why}`, {
        code: 'PassphraseFile',
        cause,
      });
    }
  }
  const passphrase = env[VARIABLE];
  return passphrase ? { passphrase, from: VARIABLE } : undefined;
}

function opens(pair: KeyPair, passphrase: string): boolean {
  try {
    pair.unlock(passphrase);
    return true;
  } catch {
    return false;
  }
}

function wrong(file: string, from: string): CommandError {
  return new CommandError(`the passphrase ${from} does not open the private key ${file}`, { code: 'KeyPassphrase' });
}

function locked(file: string): CommandError {
  return new CommandError(`the private key ${file} is encrypted, and the SSH agent does not hold it`, {
    code: 'KeyLocked',
    details: [`add it to the agent: ssh-add ${file}`, `or name a file with its passphrase: ${FILE_VARIABLE}`],
  });
}
