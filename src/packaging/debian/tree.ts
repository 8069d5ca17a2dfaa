/** What the Debian package has where, beside the tree of the npm package. */
import { chmod, copyFile, cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { completionScript } from '../../cli/framework/completion/scripts.ts';
import { filesBelow } from '../files.ts';
import { INSTALLED, packagedUnit } from './units.ts';

const UNITS = ['imgapi.service', 'imgapi-cloudapi.service'];
/** Programs whose words shells complete. */
const PROGRAMS = ['imgapiadm', 'triton-image'];
const NOT_COMMANDS: ReadonlySet<string> = new Set(['node-24']);
/** Where `node-24` looks first. */
const NODE = 'build/node/bin/node';
export const CONFIG_FILE = '/etc/imgapi/imgapi.config.json';

/** @param node the program that runs it there */
export async function debianTree(root: string, to: string, node: string): Promise<void> {
  const package_ = join(to, INSTALLED);
  const put = async (path: string, content: string | Buffer) => {
    await mkdir(dirname(join(to, path)), { recursive: true });
    await writeFile(join(to, path), content);
  };
  await mkdir(dirname(join(package_, NODE)), { recursive: true });
  await copyFile(node, join(package_, NODE));
  await chmod(join(package_, NODE), 0o755);
  for (const unit of UNITS) {
    const text = await readFile(join(root, 'etc', unit), 'utf8');
    await put(join('usr/lib/systemd/system', unit), packagedUnit(text));
    // The one that is not installed would only be mistaken for it.
    await writeFile(join(package_, 'etc', unit), packagedUnit(text));
  }
  await mkdir(join(to, 'usr/bin'), { recursive: true });
  for (const name of await readdir(join(package_, 'src/cli/bin'))) {
    if (!NOT_COMMANDS.has(name)) await symlink(`../lib/imgapi/src/cli/bin/${name}`, join(to, 'usr/bin', name));
  }
  for (const name of PROGRAMS) {
    await put(`usr/share/bash-completion/completions/${name}`, completionScript('bash', name));
    await put(`usr/share/zsh/vendor-completions/_${name}`, completionScript('zsh', name));
    await put(`usr/share/fish/vendor_completions.d/${name}.fish`, completionScript('fish', name));
  }
  const pages = join(package_, 'share/man');
  for (const page of await filesBelow(pages)) {
    await put(join('usr/share/man', `${page}.gz`), gzipSync(await readFile(join(pages, page)), { level: 9 }));
  }
  await put('usr/share/doc/imgapi/copyright', await readFile(join(package_, 'LICENSE')));
  await put('usr/share/doc/imgapi/changelog.gz', gzipSync(await readFile(join(package_, 'CHANGES.md')), { level: 9 }));
  await mkdir(join(to, dirname(CONFIG_FILE)), { recursive: true });
  await cp(join(root, 'src/packaging/debian/imgapi.config.json'), join(to, CONFIG_FILE));
}
