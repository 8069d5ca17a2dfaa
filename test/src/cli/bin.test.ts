import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { type Test, test } from 'tap';
import packageJson from '../../../package.json' with { type: 'json' };

const OLD_NODE = '#!/bin/sh\necho v20.20.2\n';
const COMMANDS = Object.entries(packageJson.bin);
/** Of the servers; a command line is below its own name. */
const SERVERS: Readonly<Record<string, string>> = {
  imgapi: 'src/main.ts',
  'imgapi-cloudapi': 'src/cloudapi/main.ts',
};

function mainOf(name: string): string {
  return SERVERS[name] ?? `src/cli/${name}/main.ts`;
}

/** The commands in an installation of their own, whose scripts tell what runs them, and whose PATH has an old node. */
function installation(t: Test): {
  root: string;
  run: (command: string, path?: string) => ReturnType<typeof spawnSync>;
} {
  const root = t.testdir();
  mkdirSync(join(root, 'src/cli'), { recursive: true });
  cpSync('src/cli/bin', join(root, 'src/cli/bin'), { recursive: true });
  for (const [name] of COMMANDS) {
    mkdirSync(dirname(join(root, mainOf(name))), { recursive: true });
    writeFileSync(
      join(root, mainOf(name)),
      "process.stdout.write([process.execPath, process.argv.slice(2)].join(' '));",
    );
  }
  const old = join(root, 'old');
  mkdirSync(old);
  writeFileSync(join(old, 'node'), OLD_NODE);
  chmodSync(join(old, 'node'), 0o755);
  const run = (command: string, path = `${old}:/usr/bin:/bin`) =>
    spawnSync(command, ['one', 'two words'], { encoding: 'utf8', env: { PATH: path } });
  return { root, run };
}

/** Tells on standard error, at the end, how many modules of the schemas were loaded. */
const COUNT_SCHEMAS = `import { registerHooks } from 'node:module';
let schemas = 0;
registerHooks({ load(url, context, next) { if (url.includes('/typebox/')) schemas++; return next(url, context); } });
process.on('exit', () => process.stderr.write(String(schemas)));`;

for (const [name] of COMMANDS.filter(([command]) => !(command in SERVERS))) {
  test(`${name} starts without the schemas, which take longer to load than all the rest`, async (t) => {
    const hook = `data:text/javascript,${encodeURIComponent(COUNT_SCHEMAS)}`;
    const args = ['--import', hook, mainOf(name), '--version'];
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    t.strictSame({ status, stderr }, { status: 0, stderr: '0' });
  });
}

for (const [name, file] of COMMANDS) {
  test(`${name} runs in the tree as it is`, async (t) => {
    t.equal(execFileSync(file, ['--version'], { encoding: 'utf8' }), `${name} ${packageJson.version}\n`);
  });

  test(`${name} takes the Node that make installed, however old the one on PATH`, async (t) => {
    const { root, run } = installation(t);
    const bin = join(root, 'build/node/node_modules/node/bin');
    mkdirSync(bin, { recursive: true });
    symlinkSync(process.execPath, join(bin, 'node'));
    t.match(run(join(root, file)), { status: 0, stdout: `${process.execPath} one,two words` });
  });

  test(`${name} takes the Node on PATH where that is new enough, also through a link from elsewhere`, async (t) => {
    const { root, run } = installation(t);
    const link = join(root, 'link');
    symlinkSync(join(root, file), link);
    const path = `${join(process.execPath, '..')}:/usr/bin:/bin`;
    t.match(run(link, path), { status: 0, stdout: `${process.execPath} one,two words` });
  });

  test(`${name} has what Node compiled at hand from its first file on, in the folder that is named or beside the sources`, async (t) => {
    const { root } = installation(t);
    writeFileSync(join(root, mainOf(name)), 'process.stdout.write(String(process.env.NODE_COMPILE_CACHE));');
    const told = (env: NodeJS.ProcessEnv) =>
      execFileSync(join(root, file), {
        encoding: 'utf8',
        env: { PATH: `${join(process.execPath, '..')}:/usr/bin:/bin`, ...env },
      });
    t.equal(resolve(told({})), join(root, 'build/compile-cache'));
    t.equal(told({ NODE_COMPILE_CACHE: '/elsewhere' }), '/elsewhere');
  });

  test(`${name} says in one line what to do where there is no Node that is new enough`, async (t) => {
    const { root, run } = installation(t);
    const { status, stderr } = run(join(root, file));
    t.equal(status, 1);
    t.match(stderr, /^Node 24 is needed, found v20\.20\.2: run make install in \S+, or put Node 24 on PATH\n$/);
    t.match(stderr, basename(root));
  });
}
