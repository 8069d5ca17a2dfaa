/** A package that somebody took over cannot run a script where the project is installed: `.npmrc` forbids it. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Test, test } from 'tap';

/** Installs a package with a script in an empty project that has our `.npmrc`. Returns whether the script ran. */
function isScriptRun(t: Test, ...flags: string[]): boolean {
  const root = t.testdir();
  const ran = join(root, 'ran');
  const scripts = Object.fromEntries(
    ['preinstall', 'install', 'postinstall', 'prepare'].map((name) => [name, `echo ${name} >>${ran}`]),
  );
  mkdirSync(join(root, 'evil'));
  writeFileSync(join(root, 'evil/package.json'), JSON.stringify({ name: 'evil', version: '1.0.0', scripts }));
  const npm = (cwd: string, ...args: string[]) => execFileSync('npm', args, { cwd, stdio: 'pipe' });
  npm(join(root, 'evil'), 'pack', '--ignore-scripts', '--pack-destination', root);
  const project = join(root, 'project');
  mkdirSync(project);
  cpSync('.npmrc', join(project, '.npmrc'));
  const dependencies = { evil: `file:${join(root, 'evil-1.0.0.tgz')}` };
  writeFileSync(join(project, 'package.json'), JSON.stringify({ private: true, dependencies }));
  npm(project, 'install', '--offline', ...flags);
  t.ok(existsSync(join(project, 'node_modules/evil/package.json')), 'it is installed');
  return existsSync(ran);
}

test('scripts of packages do not run at installation', async (t) => {
  t.equal(isScriptRun(t), false);
  t.equal(isScriptRun(t, '--ignore-scripts=false'), true, 'where they may, this one would have run');
});

test('make lets run the scripts of those packages that need them, by name', async (t) => {
  const lines = readFileSync('Makefile', 'utf8').replaceAll('\\\n', '').split('\n');
  const allowed = lines.filter((line) => line.includes('--ignore-scripts=false')).map((line) => line.trim());
  t.equal(allowed.length, 2);
  t.match(allowed[0], / node@\$\(NODE_MAJOR\)$/);
  t.match(allowed[1], /npm rebuild --ignore-scripts=false \$\(COMPILED\) /);
  t.ok(lines.includes('COMPILED := microtime better-sqlite3'));
});
