import { existsSync, globSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { test } from 'tap';
import { ownModule } from '#lib/runtime/own-modules.ts';
import packageJson from '../../../package.json' with { type: 'json' };

const FILES = globSync('{src,lib}/**/*.ts', { exclude: ['src/console/browser/**'] });
const HERE = import.meta.resolve('#lib/runtime/own-modules.ts');

test('every import of one of our files by another leads where Node would find it', async (t) => {
  let count = 0;
  const lost: string[] = [];
  for (const file of FILES) {
    const parent = pathToFileURL(resolve(file)).href;
    for (const [, specifier = ''] of readFileSync(file, 'utf8').matchAll(
      /(?:from|import|import\() ?'((?:#|\.)[^']*\.ts)'/g,
    )) {
      count += 1;
      const found = ownModule(specifier, parent);
      const isRight = found !== undefined && existsSync(fileURLToPath(found));
      const isSame = !specifier.startsWith('#') || found === import.meta.resolve(specifier);
      if (!isRight || !isSame) lost.push(`${file}: ${specifier}`);
    }
  }
  t.ok(count > 2000, String(count));
  t.strictSame(lost, []);
  t.strictSame(packageJson.imports, { '#lib/*': './lib/*', '#src/*': './src/*' }, 'and as package.json has it');
});

test('what is not ours is left to Node', async (t) => {
  const below = new URL('../../node_modules/one/index.js', HERE).href;
  for (const specifier of ['undici', 'node:fs', '../../package.json', '#elsewhere/one.ts']) {
    t.equal(ownModule(specifier, HERE), undefined, specifier);
  }
  t.equal(ownModule('./other.ts', below), undefined, 'packages have theirs');
  t.equal(ownModule('./other.ts', undefined), undefined);
});
