/** Each claim of the page on security names a test that there is. */
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'tap';

const ROWS = [...readFileSync('docs/security.md', 'utf8').matchAll(/^\| (.+) \| `(test\/[^`]+)`: (.+) \|$/gm)];

test('each claim names an existing file and a test in it', async (t) => {
  t.ok(ROWS.length > 30, `${ROWS.length} claims`);
  for (const [, claim = '', file = '', name = ''] of ROWS) {
    if (!existsSync(file)) t.fail(`${claim} ${file} is not there`);
    else t.ok(readFileSync(file, 'utf8').includes(name), `${claim} ${file} has the test "${name}"`);
  }
});

test('no claim stands without a test', async (t) => {
  const claims = readFileSync('docs/security.md', 'utf8')
    .split('| claim | test |\n')
    .slice(1)
    .flatMap((part) => part.split('\n\n')[0]?.split('\n').slice(1) ?? [])
    .filter((line) => line.startsWith('| '));
  t.equal(claims.length, ROWS.length);
});
