import { readFile } from 'node:fs/promises';
import t from 'tap';
import { LINKS } from '#lib/api/imgapi/links.ts';
import { IMGAPI } from '#lib/api/imgapi/operations.ts';
import type { Operation } from '#lib/api/operation.ts';
import { GENERATED_FILES, generated } from './generated.ts';

for (const file of GENERATED_FILES) {
  t.test(`${file} says what the code says`, async (t) => {
    const text = await readFile(new URL(`../../${file}`, import.meta.url), 'utf8');
    t.equal(text, await generated(file), 'if not: make docs');
  });
}

t.test('the page of the API has every operation, with its parameters in the query', async (t) => {
  const page = await generated('docs/index.md');
  for (const [name, { method, path, query }] of Object.entries<Operation>({ ...IMGAPI, ...LINKS })) {
    t.ok(page.includes(`\n| ${name} | \`${method} ${path}`), name);
    const missing = Object.keys(query?.properties ?? {}).filter((parameter) => !page.includes(`| \`${parameter}\` `));
    t.strictSame(missing, [], `${name}: parameters in the query`);
  }
});
