import { readFile } from 'node:fs/promises';
import t from 'tap';
import { GENERATED_FILES, generated } from './generated.ts';

for (const file of GENERATED_FILES) {
  t.test(`${file} says what the code says`, async (t) => {
    const text = await readFile(new URL(`../../${file}`, import.meta.url), 'utf8');
    t.equal(text, await generated(file), 'if not: make docs');
  });
}
