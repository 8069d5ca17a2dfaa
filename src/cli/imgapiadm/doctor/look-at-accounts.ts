/** What is wrong with a file of accounts. A server that runs goes on with the last good version, and notices at its next start. */
import { readFile } from 'node:fs/promises';
import type { Finding } from './finding.ts';

export async function lookAtAccounts(file: string): Promise<Finding[]> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => error);
  if (text instanceof Error) {
    const mend =
      text.code === 'ENOENT'
        ? 'write it, or name another one in accounts.file'
        : 'let the user of the server read it; run this as that user';
    return [{ part: 'accounts', problem: `${file} cannot be read: ${text.message}`, mend }];
  }
  const { parseAccountsDocument } = await import('#lib/accounts/file/accounts-document.ts');
  try {
    parseAccountsDocument(text);
    return [];
  } catch (error) {
    return [{ part: 'accounts', problem: `${file}: ${(error as Error).message}`, mend: 'correct the file' }];
  }
}
