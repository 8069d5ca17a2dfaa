import { readFile } from 'node:fs/promises';
import t from 'tap';
import { GENERATED, withTables } from './generated.ts';

for (const file of new Set(GENERATED.map((table) => table.file))) {
  t.test(`the tables of ${file} are those of the code`, async (t) => {
    const text = await readFile(new URL(`../../${file}`, import.meta.url), 'utf8');
    t.equal(text, await withTables(file), 'if not: make docs');
  });
}
