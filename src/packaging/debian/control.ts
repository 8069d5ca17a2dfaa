/** What dpkg is told of the package: its control file and its scripts. */

import { createHash } from 'node:crypto';
import { chmod, copyFile, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { filesBelow } from '../files.ts';
import { CONFIG_FILE } from './tree.ts';

/** What Node's own builds need, and the scripts. */
const DEPENDS = ['libc6 (>= 2.28)', 'libstdc++6', 'passwd', 'init-system-helpers'];
const SCRIPTS = ['postinst', 'prerm', 'postrm'];
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/** Of the machine that makes the package, whose Node is in it. */
export function architecture(): string {
  const found = ARCHITECTURES[process.arch];
  if (process.platform === 'linux' && found !== undefined) return found;
  throw new Error(`a Debian package is made on Linux, on x64 or arm64; this is ${process.platform} on ${process.arch}`);
}

export interface Described {
  readonly version: string;
  readonly description: string;
}

export async function writeControl(root: string, to: string, { version, description }: Described): Promise<void> {
  const folder = join(to, 'DEBIAN');
  const files = await filesBelow(to);
  let [bytes, sums] = [0, ''];
  for (const file of files) {
    bytes += (await stat(join(to, file))).size;
    if (`/${file}` === CONFIG_FILE) continue;
    sums += `${createHash('md5')
      .update(await readFile(join(to, file)))
      .digest('hex')}  ${file}\n`;
  }
  const fields = {
    Package: 'imgapi',
    Version: version,
    Architecture: architecture(),
    Maintainer: 'the imgapi project <imgapi@localhost>',
    'Installed-Size': String(Math.ceil(bytes / 1024)),
    Depends: DEPENDS.join(', '),
    Section: 'admin',
    Priority: 'optional',
    Description: `${description}\n Node 24 is in it, and all npm packages that it needs.`,
  };
  await mkdir(folder);
  await writeFile(
    join(folder, 'control'),
    Object.entries(fields)
      .map(([name, value]) => `${name}: ${value}\n`)
      .join(''),
  );
  await writeFile(join(folder, 'conffiles'), `${CONFIG_FILE}\n`);
  await writeFile(join(folder, 'md5sums'), sums);
  for (const script of SCRIPTS) {
    await copyFile(join(root, 'src/packaging/debian', script), join(folder, script));
    await chmod(join(folder, script), 0o755);
  }
}
