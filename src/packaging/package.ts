/** `make package`: an npm package of the tree, build/imgapi-VERSION.tgz, that installs without a registry. */
import { execFileSync } from 'node:child_process';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { stagePackage } from './stage.ts';

const { to } = parseArgs({ options: { to: { type: 'string', default: 'build' } } }).values;
const staged = join(to, 'packaging');
// npm expects this name in a tarball.
const { name, version } = await stagePackage('.', join(staged, 'package'));
const file = join(to, `${name}-${version}.tgz`);
const flags = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', '--mode=u+rw,go+r-w'];
execFileSync('tar', [...flags, '-czf', `${file}.draft`, '-C', staged, 'package']);
await rename(`${file}.draft`, file);
await rm(staged, { recursive: true });
process.stdout.write(`${file}\n`);
