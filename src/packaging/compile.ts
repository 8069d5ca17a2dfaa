/** JavaScript of TypeScript, with source maps: Node strips types of no file below a `node_modules`. */
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { transform } from '@swc/core';
import { filesBelow } from './files.ts';

/**
 * Names of our own files, as the sources have them in imports and in `new URL('./thread.ts', import.meta.url)`. What
 * takes their place is as long, so that the columns of the source map stay right.
 */
const OWN_FILE = /(?<=['"](?:\.{1,2}\/|#lib\/|#src\/)[^'"\n]*)\.ts(?=['"])/g;

/**
 * Writes what is below a folder of sources to another one: TypeScript compiled, declarations left out, all else as it is.
 * @param source relative to the working directory, as it is named in stack traces
 * @param isWanted by the path below `source`
 */
export async function compileFolder(source: string, to: string, isWanted = (_file: string) => true): Promise<void> {
  for (const file of await filesBelow(source)) {
    if (!isWanted(file) || file.endsWith('.d.ts')) continue;
    const target = join(to, file);
    await mkdir(dirname(target), { recursive: true });
    if (file.endsWith('.ts')) await compileFile(join(source, file), target.replace(/\.ts$/, '.js'));
    else await cp(join(source, file), target);
  }
}

async function compileFile(file: string, target: string): Promise<void> {
  const { code, map } = await transform(await readFile(file, 'utf8'), {
    filename: file,
    // The sources are not in the package: their names and lines are.
    sourceFileName: basename(file),
    sourceMaps: true,
    inlineSourcesContent: false,
    swcrc: false,
    configFile: false,
    isModule: true,
    jsc: {
      target: 'es2024',
      parser: { syntax: 'typescript' },
      keepClassNames: true,
      experimental: { keepImportAttributes: true },
    },
  });
  if (map === undefined) throw new Error(`${file} has no source map`);
  const name = basename(target);
  await writeFile(target, `${code.replace(OWN_FILE, '.js').trimEnd()}\n//# sourceMappingURL=${name}.map\n`);
  await writeFile(`${target}.map`, map);
}

/** How an import of a compiled file is found: `#lib/text/uuid.js` is below `lib/`. */
export const COMPILED_IMPORTS = { '#lib/*': './lib/*', '#src/*': './src/*' } as const;

/** The same for lines of units of systemd and SMF, and of their explanations. */
export function compiledUnit(unit: string): string {
  return unit.replaceAll(/(\/node-24) (src\/(?:cloudapi\/)?main)\.ts/g, '$1 --enable-source-maps $2.js');
}

/** A script that starts a `main.ts`, as one that starts what was compiled of it, and has stack traces name the sources. */
export function compiledLauncher(script: string): string {
  return script.replaceAll(/"\$here\/node-24" "(.*)\/main\.ts"/g, '"$here/node-24" --enable-source-maps "$1/main.js"');
}
