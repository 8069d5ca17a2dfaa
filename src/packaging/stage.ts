/** The tree of a package: what `npm install` unpacks, and what the Debian package has below one folder. */
import { chmod, cp, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { JOINED_PATH } from '../console/files.ts';
import { bundlePackages, type PackageJson, readPackage } from './bundle.ts';
import { compiledLauncher, compiledUnit, compileFolder } from './compile.ts';
import { joinConsole } from './join-console.ts';
import { writeManualPages } from './man/pages.ts';
import { publishedManifest } from './manifest.ts';

const AS_THEY_ARE = ['README.md', 'docs', 'etc', 'smf'];
/** Of the docs, those that stand at the top of a package. */
const AT_TOP = ['LICENSE', 'CHANGES.md'];
/** Makes packages, and is in none. */
const NOT_PACKED = /^packaging\//;
const LAUNCHERS = 'src/cli/bin';
/** Where the files are that have a system start the servers. */
const UNITS = ['etc', 'smf/manifests'];
const UNIT = /\.(?:service|xml)$/;

/** @param to is made anew */
export async function stagePackage(root: string, to: string): Promise<PackageJson> {
  await rm(to, { recursive: true, force: true });
  await mkdir(to, { recursive: true });
  await compileFolder('lib', join(to, 'lib'));
  await compileFolder('src', join(to, 'src'), (file) => !NOT_PACKED.test(file));
  await joinConsole(join(to, JOINED_PATH));
  for (const name of AS_THEY_ARE) await cp(join(root, name), join(to, name), { recursive: true, dereference: true });
  for (const file of AT_TOP) await cp(join(root, 'docs', file), join(to, file));
  for (const name of await readdir(join(to, LAUNCHERS))) await rewrite(join(to, LAUNCHERS, name), compiledLauncher);
  for (const folder of UNITS) {
    for (const name of await readdir(join(to, folder))) {
      if (UNIT.test(name)) await rewrite(join(to, folder, name), compiledUnit);
    }
  }
  const own = await readPackage(root);
  const manifest = { ...publishedManifest(own), man: await writeManualPages(to, own.version, builtAt()) };
  await writeFile(join(to, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
  await bundlePackages(root, to);
  return manifest;
}

async function rewrite(file: string, change: (text: string) => string): Promise<void> {
  const { mode } = await stat(file);
  await writeFile(file, change(await readFile(file, 'utf8')));
  await chmod(file, mode);
}

/** Who builds again what was built before gives the time of then, as packagers of systems do. */
function builtAt(): Date {
  const epoch = process.env['SOURCE_DATE_EPOCH'];
  return epoch === undefined ? new Date() : new Date(Number(epoch) * 1000);
}
