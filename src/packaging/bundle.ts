/**
 * The packages that run in production, as `package-lock.json` has them, within our own: an installation needs no registry,
 * and has what the tests ran with. npm takes no notice of the `overrides` of what it installs, so the packages that they
 * are about say here what they got.
 */
import { existsSync } from 'node:fs';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

interface Locked {
  readonly dev?: boolean;
  /** Some of them are for other platforms, and not here. */
  readonly optional?: boolean;
}

export interface PackageJson {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
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
  const isWanted = ([path, { dev, optional }]: [string, Locked]) =>
    path !== '' && dev !== true && (optional !== true || existsSync(join(root, path)));
  const folders = packages.filter(isWanted).map(([path]) => path);
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
  const got = async (asked: PackageJson['dependencies']) => {
    const versions: Record<string, string> = {};
    for (const name of Object.keys(asked ?? {})) {
      const found = resolved(folder, name, folders);
      if (found !== undefined) versions[name] = (await readPackage(join(to, found))).version;
    }
    return versions;
  };
  const dependencies = await got(manifest.dependencies);
  // npm would look for those that are not here in a registry.
  const optionalDependencies = await got(manifest.optionalDependencies);
  const scripts = Object.entries(manifest.scripts ?? {}).filter(([name]) => !INSTALL_SCRIPTS.has(name));
  // npm would compile whatever could be.
  const settled = {
    ...manifest,
    dependencies,
    optionalDependencies,
    scripts: Object.fromEntries(scripts),
    gypfile: false,
  };
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
