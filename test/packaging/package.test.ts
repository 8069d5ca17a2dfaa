/** `make package`: what others install does what the tree does. */
import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { ImgapiClient } from '#lib/client/client.ts';
import { ADMIN } from '../helpers/accounts.ts';
import { makeImage } from '../helpers/images.ts';
import { startInProcess } from '../helpers/imgapi.ts';
import { type Installed, installPackage, VERSION } from './installed.ts';

const COMMANDS = ['imgapi', 'imgapi-cloudapi', 'imgapiadm', 'triton-image'];

test('the package installs without a registry, and serves images', async (t) => {
  const installed = await installPackage(t);

  await t.test('its commands tell their use and version', async (t) => {
    for (const command of COMMANDS) {
      t.match(await installed.run(command, ['--version']), { code: 0, stdout: `${command} ${VERSION}\n`, stderr: '' });
      const help = await installed.run(command, ['--help']);
      t.match(help, { code: 0, stdout: new RegExp(`^(usage: )?${command} `), stderr: '' });
    }
  });

  await t.test('it has JavaScript with source maps, docs and examples, and nothing of the development', (t) =>
    contents(t, installed),
  );

  await t.test('a server with a fresh folder takes over the images of another, and serves them', (t) =>
    servesImages(t, installed),
  );

  await t.test('stack traces name files and lines of the sources', (t) => stackTraces(t, installed));
});

async function contents(t: Test, { root }: Installed): Promise<void> {
  t.strictSame(globSync('{src,lib}/**/*.ts', { cwd: root }), []);
  // What browsers are given is JavaScript in the tree as well.
  const compiled = globSync('{src,lib}/**/*.js', { cwd: root, exclude: ['src/console/browser/**'] });
  t.ok(compiled.includes('src/main.js'));
  for (const file of compiled) {
    const map = JSON.parse(readFileSync(join(root, `${file}.map`), 'utf8'));
    t.strictSame(map.sources, [file.replace(/^.*\//, '').replace(/\.js$/, '.ts')]);
  }
  const there = [
    'LICENSE',
    'CHANGES.md',
    'README.md',
    'docs/index.md',
    'etc/config.schema.json',
    'smf/manifests/imgapi.xml',
  ];
  for (const file of there) t.ok(existsSync(join(root, file)), file);
  for (const unit of globSync(['etc/*.service', 'smf/manifests/imgapi*.xml'], { cwd: root })) {
    const [, started = '?'] = /\/node-24 (?:--\S+ )*(\S+)/.exec(readFileSync(join(root, unit), 'utf8')) ?? [];
    t.ok(existsSync(join(root, started)), `${unit} starts ${started}`);
  }
  const own = JSON.parse(readFileSync('package.json', 'utf8'));
  const published = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  t.strictSame(published.dependencies, own.dependencies);
  t.strictSame([published.private, published.devDependencies, published.license], [undefined, undefined, 'MPL-2.0']);
  for (const gone of [
    'test',
    'src/packaging',
    'node_modules/tap',
    'node_modules/typescript',
    'node_modules/@swc/core',
  ]) {
    t.notOk(existsSync(join(root, gone)), gone);
  }
}

async function servesImages(t: Test, { server, serverOf, configFile, run }: Installed): Promise<void> {
  const source = await startInProcess(t);
  const { image, bytes } = await makeImage(source.client(), { name: 'taken', owner: ADMIN });
  // Threads of their own read lists and hash files; both are compiled as well.
  t.match(await run('imgapiadm', ['import-data', source.url, '-f', configFile]), { code: 0, stdout: image.uuid });
  const list = await run('imgapiadm', ['--url', server.url, 'list', '--json']);
  t.match(list, { code: 0, stdout: /"name": ?"taken"/ });
  t.match(await fetchJson(`${server.url}/ping`), { ping: 'pong', version: VERSION });
  const client = new ImgapiClient({ url: server.url });
  t.teardown(() => client.destroy());
  await makeImage(client, { name: 'uploaded', owner: ADMIN });
  const answer = await globalThis.fetch(`${server.url}/images/${image.uuid}/file`);
  t.equal(sha256(Buffer.from(await answer.arrayBuffer())), sha256(bytes));
  await server.stop();
  const fleet = serverOf(`-f ${configFile} --workers 2`);
  await fleet.start();
  t.match(await fetchJson(`${fleet.url}/images/${image.uuid}`), { name: 'taken', owner: ADMIN });
  await fleet.stop();
}

async function fetchJson(url: string): Promise<unknown> {
  return (await globalThis.fetch(url)).json();
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Has a call fail that a server makes early, with an error that nobody expects. */
const FAILING = "process.umask = () => { throw new TypeError('as the test wants it'); };";

async function stackTraces(t: Test, installed: Installed): Promise<void> {
  const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(FAILING)}`;
  const { code, stderr } = await installed.run('imgapi', [], { NODE_OPTIONS });
  t.equal(code, 1);
  t.match(stderr, 'as the test wants it');
  const [, file = '', line] = /imgapi\/((?:src|lib)\/[\w/-]+\.ts):(\d+):/.exec(stderr) ?? [];
  t.equal(file, 'src/service/server-process.ts', stderr);
  t.match(readFileSync(file, 'utf8').split('\n')[Number(line) - 1], 'process.umask(');
}
