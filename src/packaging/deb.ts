/** `make deb`: a Debian package of the tree, build/imgapi_VERSION_ARCHITECTURE.deb, with Node in it. */
import { execFileSync } from 'node:child_process';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { architecture, writeControl } from './debian/control.ts';
import { debianTree } from './debian/tree.ts';
import { INSTALLED } from './debian/units.ts';
import { stagePackage } from './stage.ts';

const { to, revision } = parseArgs({
  options: { to: { type: 'string', default: 'build' }, revision: { type: 'string', default: '1' } },
}).values;
const staged = join(to, 'debian');
await rm(staged, { recursive: true, force: true });
const manifest = await stagePackage('.', join(staged, INSTALLED));
const version = `${manifest.version}-${revision}`;
await debianTree('.', staged, process.execPath);
await writeControl('.', staged, { version, description: String(manifest['description']) });
// The umask of who makes the package has no say in it.
execFileSync('chmod', ['-R', 'u+rwX,go+rX,go-w', staged]);
const file = join(to, `imgapi_${version}_${architecture()}.deb`);
execFileSync('dpkg-deb', ['--root-owner-group', '-Zgzip', '-z6', '--build', staged, `${file}.draft`], {
  stdio: 'pipe',
});
await rename(`${file}.draft`, file);
await rm(staged, { recursive: true });
process.stdout.write(`${file}\n`);
