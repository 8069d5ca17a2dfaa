/** The walks of docs/design.md name files and functions that are there. */
import { readFile } from 'node:fs/promises';
import { test } from 'tap';

const ROOT = new URL('../../', import.meta.url);
const STEP = /^\* `([^`]+\.ts)` ((?:`\w+`(?:, )?)+): \S/;

/** A declaration, or a member of a class or of an object; a call counts as neither. */
function isDeclared(name: string, source: string): boolean {
  const declared = `(?:function\\*?|class|const) ${name}\\b`;
  const member = `^ +(?:(?:async|get|override|static) )*\\*?#?${name}(?:<[^\\n]*)?\\([^\\n]*(?:\\{|,|\\()$|^ +#?${name}\\($`;
  return new RegExp(`${declared}|${member}`, 'm').test(source);
}

test('each step of a walk names a function of its file', async (t) => {
  const text = await readFile(new URL('docs/design.md', ROOT), 'utf8');
  const [, section = ''] = /\n## Three walks\n([\s\S]*?)\n## /.exec(text) ?? [];
  const walks = section.split(/^### /m).slice(1);
  t.same(
    walks.map((walk) => walk.split('\n', 1)[0]),
    ['GetImage', 'One byte of a copy', 'A share by login'],
  );
  for (const walk of walks) {
    const lines = walk.split('\n').filter((line) => line.startsWith('* '));
    t.ok(lines.length > 10, 'a walk of some length');
    for (const line of lines) {
      const [, path = '', names = ''] = STEP.exec(line) ?? [];
      if (!t.not(path, '', `a file, functions and what they do: ${line}`)) continue;
      const source = await readFile(new URL(path, ROOT), 'utf8');
      for (const name of names.match(/\w+/g) ?? []) t.ok(isDeclared(name, source), `${path} has ${name}`);
    }
  }
});
