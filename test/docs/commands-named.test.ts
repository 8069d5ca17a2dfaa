/** Commands that the docs and the service's own messages name exist. */
import { globSync, readFileSync } from 'node:fs';
import { test } from 'tap';
import { imgapiadm } from '#src/cli/imgapiadm/program.ts';
import { tritonImage } from '#src/cli/triton-image/program.ts';

const FILES = ['README.md', ...globSync('{docs,etc,smf}/**/*.{md,service,xml,json}'), ...globSync('{src,lib}/**/*.ts')];

/** Words that follow a program's name in sentences. */
const PROSE: ReadonlySet<string> = new Set(['there']);

for (const program of [imgapiadm, tritonImage]) {
  const known = new Set(program.commands.flatMap(({ name, aliases = [] }) => [name, ...aliases]).concat('help'));

  test(`every command of ${program.name} that is named anywhere exists`, async (t) => {
    const named = new RegExp(`\\b${program.name} ((?:[a-z]+-)*[a-z]+)`, 'g');
    const unknown = FILES.flatMap((file) => {
      const text = readFileSync(file, 'utf8')
        // Not prose about the program, as in "imgapiadm reads": what stands as code or as something to type.
        .split('\n')
        .filter((line) => /[`'"$:]/.test(line))
        .join('\n');
      return [...text.matchAll(named)]
        .filter(
          ([, word = '']) =>
            !known.has(word) && !PROSE.has(word) && ![...known].some((name) => name.startsWith(`${word} `)),
        )
        .map(([found]) => `${file}: ${found}`);
    });
    t.strictSame(unknown, []);
  });
}
