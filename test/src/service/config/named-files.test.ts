/** Files that a configuration names and the server starts without: who checks it is told of those that it will lack. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'tap';
import { runImgapiadm } from '../../cli/capture.ts';

const DC = { mode: 'dc', datacenterName: 'us-1', adminUuid: '930896af-bf8c-48d4-885c-6573a94b1853' };

async function checked(file: string, keys: object): Promise<{ ok: boolean; problems: string[]; notes: string[] }> {
  await writeFile(file, JSON.stringify(keys));
  return JSON.parse((await runImgapiadm(['check-config', '--json', file])).stdout);
}

test('check-config notes each file that cannot be read or used, and not once it can', async (t) => {
  const dir = t.testdir();
  const file = join(dir, 'imgapi.json');
  const [accounts, jwksFile, secretFile] = ['accounts.json', 'jwks.json', 'secret'].map((name) => join(dir, name));
  const keys = {
    ...{ ...DC, accounts: { file: accounts } },
    tokens: { issuer: 'https://issuer', audience: 'imgapi', jwksFile },
    webhooks: [{ name: 'hook', url: 'https://hook', secretFile }],
  };
  const lacking = await checked(file, keys);
  t.equal(lacking.ok, true, 'the server starts');
  t.match(lacking.notes, [
    /^accounts\.file: .*accounts\.json cannot be read: ENOENT.*; until then there is no directory/,
    /^tokens\.jwksFile: .*jwks\.json cannot be read: ENOENT/,
    /^webhooks\[0\]\.secretFile: .*secret cannot be read: ENOENT/,
  ]);
  for (const path of [accounts, jwksFile, secretFile]) await writeFile(path ?? '', '{');
  t.match((await checked(file, keys)).notes, [/^accounts\.file: .*accounts\.json: .*JSON/]);
  await writeFile(accounts ?? '', '[]');
  t.same((await checked(file, keys)).notes, []);
  t.same((await checked(file, { mode: 'private' })).notes, [], 'what is not used is not read');
});
