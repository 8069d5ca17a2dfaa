/**
 * Makes one file of the modules of the console, beside which only a view of charts loads another. Where it is not made, or
 * is of other modules than there are now, a browser gets them one by one.
 *
 *   node src/packaging/join-console.ts
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'esbuild';
import { ENTRY, JOINED, readFiles } from '../console/files.ts';
import { withMark } from '../console/joined.ts';

/** As large as all others together, and seldom needed. */
const APART = 'modules/uplot.js';

/** @param to a file */
export async function joinConsole(to: string): Promise<void> {
  const { build } = await import('esbuild');
  const files = await readFiles();
  const { outputFiles } = await build({
    entryPoints: [ENTRY],
    bundle: true,
    format: 'esm',
    target: 'es2022',
    minify: true,
    legalComments: 'inline',
    plugins: [fromMemory(files)],
    write: false,
    logLevel: 'warning',
  });
  await mkdir(dirname(to), { recursive: true });
  await writeFile(to, withMark(outputFiles[0]?.text ?? '', files));
}

/** Paths in imports are those that a browser asks for, relative to the module that has them. */
function fromMemory(files: ReadonlyMap<string, string>): Plugin {
  return {
    name: 'from-memory',
    setup: ({ onResolve, onLoad }) => {
      onResolve({ filter: /.*/ }, ({ path, importer }) => {
        const found = new URL(path, `http://console/${importer}`).pathname.slice(1);
        return found === APART ? { path: `./${APART}`, external: true } : { path: found, namespace: 'console' };
      });
      onLoad({ filter: /.*/, namespace: 'console' }, ({ path }) => {
        const contents = files.get(path);
        return contents === undefined ? { errors: [{ text: `there is no ${path}` }] } : { contents, loader: 'js' };
      });
    },
  };
}

if (import.meta.main) {
  try {
    await joinConsole(fileURLToPath(JOINED));
  } catch (error) {
    // esbuild has no build for every platform that Node runs on.
    process.stderr.write(`the console stays in many files, and is shown later: ${(error as Error).message}\n`);
  }
}
