/** The people of the test cloud. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export const ADMIN = '930896af-bf8c-48d4-885c-6573a94b1853';
export const ALICE = 'a45c9276-b8e1-11e7-90b1-6fc7cbadf3ef';
export const BOB = 'b6512b9a-7835-4fbe-bbfd-8ecb5a7881c4';
export const CAROL = 'c8a1f6e2-5d6b-4f0c-9a36-3a7c1c1f4b11';

export const PEOPLE = [
  { uuid: ADMIN, login: 'admin' },
  { uuid: ALICE, login: 'alice' },
  { uuid: BOB, login: 'bob' },
  { uuid: CAROL, login: 'carol' },
] as const;

/** Writes an accounts file; returns its path. */
export async function writeAccounts(directory: string, accounts: readonly object[] = PEOPLE): Promise<string> {
  const path = join(directory, 'accounts.json');
  await writeFile(path, JSON.stringify(accounts, null, 2));
  return path;
}
