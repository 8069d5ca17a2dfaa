/**
 * The packages that run in production, as `package-lock.json` has them, within our own: an installation needs no registry,
 * and has what the tests ran with. npm takes no notice of the `overrides` of what it installs, so the packages that they
 * are about say here what they got.
 */
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

interface Locked {
  readonly dev?: boolean;
}

export interface PackageJson {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly [key: string]: unknown;
}

/** What nothing runs: it would be half of the files. Licences are kept, whatever their names end in. */
const NOT_RUN = /(?<!licen[cs]e)\.([cm]?ts|map|md|markdown|html|flow)$|\/prebuilds\/win32-[^/]*$/i;

/** Run by npm when somebody installs. */
const INSTALL_SCRIPTS: ReadonlySet<string> = new Set(['preinstall', 'install', 'postinstall']);

export async function bundlePackages(root: string, to: string): Promise<void> {
  const lock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8'));
  const packages = Object.entries(lock.packages as Readonly<Record<string, Locked>>);
  const folders = packages.filter(([path, { dev }]) => path !== '' && dev !== true).map(([path]) => path);
  for (const folder of folders) {
    const from = join(root, folder);
    const isOwn = (path: string) => !path.slice(from.length).includes('/node_modules') && !NOT_RUN.test(path);
    await cp(from, join(to, folder), { recursive: true, filter: isOwn });
  }
  for (const folder of folders) await settle(to, folder, new Set(folders));
}

export async function readPackage(folder: string): Promise<PackageJson> {
  return JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
}

/** Rewrites a package's own `package.json`: the versions that it got, and no scripts that npm would run. */
async function settle(to: string, folder: string, folders: ReadonlySet<string>): Promise<void> {
  const manifest = await readPackage(join(to, folder));
  const dependencies: Record<string, string> = {};
  for (const name of Object.keys(manifest.dependencies ?? {})) {
    const found = resolved(folder, name, folders);
    if (found !== undefined) dependencies[name] = (await readPackage(join(to, found))).version;
  }
  const scripts = Object.entries(manifest.scripts ?? {}).filter(([name]) => !INSTALL_SCRIPTS.has(name));
  // npm would compile whatever could be.
  const settled = { ...manifest, dependencies, scripts: Object.fromEntries(scripts), gypfile: false };
  await writeFile(join(to, folder, 'package.json'), `${JSON.stringify(settled, undefined, 2)}\n`);
}

/** The folder of a package as another one finds it. */
function resolved(folder: string, name: string, folders: ReadonlySet<string>): string | undefined {
  for (let at = folder; ; at = at.slice(0, Math.max(0, at.lastIndexOf('node_modules/') - 1))) {
    const found = join(at, 'node_modules', name);
    if (folders.has(found)) return found;
    if (at === '') return undefined;
  }
}
