/**
 * The files that a browser loads for the console: our own, and those of the npm packages that they import, as the packages
 * have them. Browsers find modules by path only, so the names of packages in imports are replaced by paths. All are read
 * when the first is asked for; each is compressed once, when it is. Where the modules of today have been joined into one
 * file, that takes the place of the first of them: a browser shows the first view sooner if it has one file to fetch.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress, gzip, constants as zlib } from 'node:zlib';
import { CONSOLE_TYPES } from '#lib/api/imgapi/console.ts';
import { onceDone } from '#lib/runtime/once-done.ts';
import { isJoinedOf } from './joined.ts';
import { importedBy, withPreloads } from './preloads.ts';

export interface ConsoleFile {
  readonly type: string;
  /** Of its content, without quotes. */
  readonly etag: string;
  readonly forms: Readonly<Record<Coding, Buffer>>;
}

/** As Content-Encoding names them. */
export const CODINGS = ['br', 'gzip', 'identity'] as const;
export type Coding = (typeof CODINGS)[number];

const OWN = new URL('browser/', import.meta.url);
export const PAGE = 'index.html';
/** The module that imports the others. */
export const ENTRY = 'app.js';
/** In no repository: written when packages are installed, and into packages of our own. Below the root of either. */
export const JOINED_PATH = 'build/console/app.js';
export const JOINED = new URL(`../../${JOINED_PATH}`, import.meta.url);

/** By the name in imports: the name below `modules/`. */
const MODULES: Readonly<Record<string, string>> = {
  preact: 'preact.js',
  'preact/hooks': 'preact-hooks.js',
  htm: 'htm.js',
  uplot: 'uplot.js',
};
const STYLES: Readonly<Record<string, string>> = { 'uplot/dist/uPlot.min.css': 'uplot.css' };
/** What a package has for bundlers, where `exports` would give node's form. */
const FOR_BROWSERS: Readonly<Record<string, string>> = { uplot: 'uplot/dist/uPlot.esm.js' };

export class ConsoleFiles {
  readonly #texts: () => Promise<ReadonlyMap<string, string>>;
  /** By path. */
  readonly #files = new Map<string, () => Promise<ConsoleFile>>();

  /** @param joined where the one file of all modules is, if there is one */
  constructor(joined = JOINED) {
    this.#texts = onceDone(() => readAll(joined));
  }

  /** @param path below `/console/`: `app.js`, `modules/preact.js` */
  async get(path: string): Promise<ConsoleFile | undefined> {
    const text = (await this.#texts()).get(path);
    if (text === undefined) return undefined;
    const file = this.#files.get(path) ?? onceDone(() => prepared(text, typeOf(path) ?? ''));
    this.#files.set(path, file);
    return file();
  }
}

async function readAll(at: URL): Promise<ReadonlyMap<string, string>> {
  const all = await readFiles();
  const joined = await readFile(at, 'utf8').catch(() => '');
  if (isJoinedOf(joined, all)) all.set(ENTRY, joined);
  return all.set(PAGE, withPreloads(all.get(PAGE) ?? '', importedBy(ENTRY, all)));
}

/** By path below `/console/`, each as it is by itself. */
export async function readFiles(): Promise<Map<string, string>> {
  const own = (await readdir(OWN)).filter((name) => typeOf(name) !== undefined);
  const read = [
    ...own.map((name) => ({ path: name, url: new URL(name, OWN), modules: 'modules/' })),
    ...Object.entries({ ...MODULES, ...STYLES }).map(([name, file]) => ({
      path: `modules/${file}`,
      url: new URL(import.meta.resolve(FOR_BROWSERS[name] ?? name)),
      modules: '',
    })),
  ];
  return new Map(
    await Promise.all(
      read.map(async ({ path, url, modules }): Promise<[string, string]> => {
        const text = await readFile(fileURLToPath(url), 'utf8');
        return [path, path.endsWith('.js') ? withPaths(text, modules) : text];
      }),
    ),
  );
}

function typeOf(name: string): string | undefined {
  const ending = name.slice(name.lastIndexOf('.') + 1);
  return Object.entries(CONSOLE_TYPES).find(([known]) => known === ending)?.[1];
}

/** `from "preact"`, `import('uplot')` */
const IMPORT = /\b(from\s*|import\s*\(\s*)(["'])([^"'.][^"']*)\2/g;

function withPaths(text: string, modules: string): string {
  return text.replace(IMPORT, (whole, before: string, quote: string, name: string) => {
    const file = MODULES[name];
    return file === undefined ? whole : `${before}${quote}./${modules}${file}${quote}`;
  });
}

async function prepared(text: string, type: string): Promise<ConsoleFile> {
  const identity = Buffer.from(text);
  const [br, zipped] = await Promise.all([
    promisify(brotliCompress)(identity, { params: { [zlib.BROTLI_PARAM_SIZE_HINT]: identity.length } }),
    promisify(gzip)(identity, { level: 9 }),
  ]);
  const etag = createHash('sha256').update(identity).digest('hex').slice(0, 32);
  return { type, etag, forms: { br, gzip: zipped, identity } };
}
