/** What the page for contributors names is there. Its recipes were tried by hand. */
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'tap';
import { readCommands } from './runner/blocks.ts';

const FILE = 'docs/contributing.md';
const TEXT = readFileSync(FILE, 'utf8');

test('every path that the page for contributors names is there', async (t) => {
  const paths = [...TEXT.matchAll(/\b(?:src|lib|test|etc)\/[\w./-]*\w\/?/g)].map(([path]) => path);
  t.ok(paths.length > 30);
  t.strictSame(
    paths.filter((path) => !existsSync(path)),
    [],
  );
});

test('so is every target of make', async (t) => {
  const makefile = readFileSync('Makefile', 'utf8');
  const targets = [...TEXT.matchAll(/`make ([\w-]+)`/g)].map(([, target = '']) => target);
  t.ok(targets.length > 5);
  t.strictSame(
    targets.filter((target) => !makefile.includes(`\n${target}:`)),
    [],
  );
});

test('its commands are tests, and run as such', async (t) => {
  const { commands, notRun } = readCommands(FILE);
  t.strictSame({ commands, notRun }, { commands: [], notRun: ['they are tests themselves'] });
});
