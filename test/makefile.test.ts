import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { test } from 'tap';

/** What the Makefile needs to know what it would do. */
const NEEDED = ['Makefile', 'package.json', 'package-lock.json', '.npmrc', '.taprc', 'src/packaging/join-modules.ts'];

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

/** An `npm` whose packages load only once they were compiled, if they have no binary for this platform. */
const NPM = `#!/bin/sh
echo "$@" >>npm.log
mkdir -p node_modules/.bin node_modules/microtime node_modules/better-sqlite3
echo '' >node_modules/.bin/tap
echo 'module.exports = class {};' >node_modules/better-sqlite3/index.js
case "$1$HAS_BINARIES" in
install) echo 'throw new Error("no binary")' >node_modules/microtime/index.js ;;
*) echo '' >node_modules/microtime/index.js ;;
esac
`;

for (const has of ['', 'yes']) {
  test(`make install compiles what npm has no binary of, and nothing else: ${has || 'no'} binaries`, async (t) => {
    const root = t.testdir({ bin: { npm: NPM } });
    for (const file of NEEDED) cpSync(file, join(root, file));
    // What this one does is no part of it.
    writeFileSync(join(root, 'src/packaging/join-console.ts'), '');
    chmodSync(join(root, 'bin/npm'), 0o755);
    const path = [join(root, 'bin'), dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter);
    const env = { PATH: path, HAS_BINARIES: has };
    execFileSync('make', ['--no-print-directory', 'install'], { cwd: root, env, stdio: 'pipe' });
    t.ok(existsSync(join(root, 'node_modules/.installed')));
    const [first, ...others] = readFileSync(join(root, 'npm.log'), 'utf8').trim().split('\n');
    t.match(first, /^install /);
    t.strictSame(others, has ? [] : ['rebuild --ignore-scripts=false microtime better-sqlite3']);
  });
}
