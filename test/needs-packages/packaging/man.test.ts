/** The manual pages are what mandoc takes for good ones, and say what the help says. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'tap';
import { imgapiadm } from '#src/cli/imgapiadm/program.ts';
import { tritonImage } from '#src/cli/triton-image/program.ts';
import { manualPages } from '#src/packaging/man/pages.ts';
import { temporaryFolder } from '../../helpers/imgapi.ts';
import { complaints, missing } from '../installed.ts';

const PAGES = manualPages('1.2.3', new Date(Date.UTC(2026, 0, 2)));
const skip = missing('mandoc');

for (const [path, text] of Object.entries(PAGES)) {
  test(`mandoc has nothing to say against ${path}`, { skip }, async (t) => {
    const file = join(await temporaryFolder(t), basename(path));
    writeFileSync(file, text);
    t.equal(complaints('mandoc', ['-T', 'lint', '-W', 'warning', file]), '');
  });
}

function shown(text: string): string {
  const options = { input: text, encoding: 'utf8' } as const;
  const { stdout } = spawnSync('mandoc', ['-K', 'utf-8', '-T', 'utf8', '-O', 'width=1000'], options);
  // Bold letters are written twice, with a step back between. Lines are long enough for every sentence.
  const parts = stdout.split('\b');
  return parts.map((part, index) => (index < parts.length - 1 ? part.slice(0, -1) : part)).join('');
}

test('all commands and options are there, with what is said of them', { skip }, async (t) => {
  for (const [program, text] of [
    [imgapiadm, shown(PAGES['man8/imgapiadm.8'] ?? '')],
    [tritonImage, shown(PAGES['man1/triton-image.1'] ?? '')],
  ] as const) {
    for (const { name, options, examples } of program.commands) {
      t.match(text, new RegExp(`^ +${program.name} ${name} \\[options\\]`, 'm'));
      for (const option of Object.keys(options)) t.match(text, option.length === 1 ? ` -${option}` : `--${option}`);
      for (const { command } of examples) t.match(text, command);
    }
  }
});
