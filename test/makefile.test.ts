import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';

/** What the Makefile needs to know what it would do. */
const NEEDED = ['Makefile', 'package.json', 'package-lock.json', '.npmrc', '.taprc'];

/** The line that looks at the sources in `make TARGET`. */
function lookedAt(root: string, target: string, env: NodeJS.ProcessEnv = process.env): string | undefined {
  for (const file of NEEDED) cpSync(file, join(root, file));
  const options = { cwd: root, encoding: 'utf8', env } as const;
  const recipe = execFileSync('make', ['--no-print-directory', '-n', target], options);
  return recipe.split('\n').find((line) => line.includes('biome check'));
}

for (const target of ['lint', 'format']) {
  test(`make ${target} looks at what belongs to the project, not at what somebody left there`, async (t) => {
    const root = t.testdir();
    mkdirSync(join(root, 'src'));
    for (const file of ['package.json', 'image.json', 'src/a.ts', 'src/scratch.ts', 'src/gone.ts']) {
      writeFileSync(join(root, file), '{"as":   "it came"}');
    }
    const git = (...args: string[]) => execFileSync('git', args, { cwd: root });
    git('init', '--quiet');
    git('add', 'package.json', 'src/a.ts', 'src/gone.ts');
    execFileSync('rm', [join(root, 'src/gone.ts')]);
    const line = lookedAt(root, target);
    t.match(line, / package\.json src\/a\.ts$/);
    t.notMatch(line, /image\.json|scratch|gone/);
  });
}

test('where there is no git all sources are looked at', async (t) => {
  const root = t.testdir();
  const line = lookedAt(root, 'lint', { ...process.env, GIT_DIR: join(root, 'none') });
  t.match(line, /biome check --config-path=\.biome\.jsonc --no-errors-on-unmatched *$/);
});

test('make clean takes what demos, tours and tests left, and keeps the data', async (t) => {
  const root = t.testdir({
    build: {
      data: { 'imgapi.db': 'mine' },
      demo: { 'base.tar': 'x' },
      tour: { 'image.json': '{}' },
      'test.tap': '',
    },
    '.tap': { fixtures: {} },
    node_modules: { tap: {} },
  });
  cpSync('Makefile', join(root, 'Makefile'));
  execFileSync('make', ['--no-print-directory', 'clean'], { cwd: root });
  t.strictSame(readdirSync(root, { recursive: true }).toSorted(), [
    'Makefile',
    'build',
    'build/data',
    'build/data/imgapi.db',
  ]);
});
