/**
 * `make demo`: the story of RFD 113 on two datacenters of this machine, with real data. Alice makes an image, shares
 * it, and copies it to the other datacenter, which is killed halfway and started again. Ends with status 0 and leaves
 * nothing running; with --keep the two stay up.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ImgapiClient } from '#lib/client/client.ts';
import { imageObjectPath } from '#lib/manta/paths.ts';
import { freePort } from '../helpers/free-port.ts';
import { startTcpProxy, type TcpProxy } from '../helpers/tcp-proxy.ts';
import { waitFor } from '../helpers/wait.ts';
import { type Datacenter, type DatacenterOptions, end, PEOPLE, startDatacenter, writePeople } from './cloud.ts';
import { command, heading, megabytes, say } from './narrator.ts';
import { makeBase, makeIncrement, sha1OfFile, type Tarball } from './root-filesystem.ts';

const ROOT = new URL('../..', import.meta.url).pathname;
const DIRECTORY = join(ROOT, 'build/demo');
/** Slow enough to watch, and to be killed halfway. */
const BYTES_PER_SECOND = 60e6;

const { values: flags } = parseArgs({ options: { keep: { type: 'boolean', default: false } } });
const started = new Map<string, Datacenter>();
const relays: TcpProxy[] = [];

async function main(): Promise<void> {
  const begin = Date.now();
  await rm(DIRECTORY, { recursive: true, force: true });
  await mkdir(DIRECTORY, { recursive: true });

  heading('Real data: two file system tarballs made of the files of this machine');
  const base = await makeBase(DIRECTORY);
  const increment = await makeIncrement(DIRECTORY);
  say(`   base.tar       ${megabytes(base.size).padStart(9)}  sha1 ${base.sha1}`);
  say(`   increment.tar  ${megabytes(increment.size).padStart(9)}  sha1 ${increment.sha1}`);

  heading('Two datacenters, each with its own data, keys and process');
  const accounts = await writePeople(DIRECTORY);
  // Each is reached by the other through a relay that counts what passes between them.
  const ports = { sw: await freePort(), west: await freePort() };
  const toSw = await relay(ports.sw);
  const toWest = await relay(ports.west);
  const swOptions = { name: 'us-sw-1', directory: DIRECTORY, port: 0, linksPort: ports.sw, linksPublicUrl: toSw.url };
  const sw = await start(swOptions, accounts);
  const bandwidth = { 'us-sw-1': BYTES_PER_SECOND };
  const westOptions = {
    name: 'us-west-1',
    directory: DIRECTORY,
    port: 0,
    linksPort: ports.west,
    linksPublicUrl: toWest.url,
    bandwidth,
  };
  const west = await start(westOptions, accounts);
  say(`   us-sw-1    ${sw.url}`);
  say(`   us-west-1  ${west.url}`);

  heading('The operators link them: a token from one, one command on the other');
  const token = (await imgapiadm(sw, ['link-token'], { show: 'us-sw-1', quiet: true })).trim().split('\n')[0] ?? '';
  say(`   ${token.slice(0, 30)}…`);
  await imgapiadm(west, ['link-dc', 'us-sw-1', toSw.url, '--token', token], { show: 'us-west-1', hide: token });

  heading('Alice makes an image in us-sw-1, and an incremental one on top of it');
  const alice = new ImgapiClient({ url: sw.url, account: PEOPLE.alice });
  const baseImage = await upload(alice, { name: 'my-base', version: '1.0.0' }, base);
  const image = await upload(alice, { name: 'my-image', version: '1.0.0', origin: baseImage }, increment);

  heading('She shares my-image with bob, and by a slip of the finger with bib, who does not exist');
  await imgapiadm(sw, ['-a', PEOPLE.alice, 'share', image, 'bob'], { show: 'us-sw-1, alice' });
  await imgapiadm(sw, ['-a', PEOPLE.alice, 'share', image, 'bib'], { show: 'us-sw-1, alice' });
  say('   Both answers are the same: nobody can find out by sharing which logins exist.');
  say('   What bob has been given:');
  await imgapiadm(sw, ['-a', PEOPLE.bob, 'list', '--shared'], { show: 'us-sw-1, bob' });
  const seen = await new ImgapiClient({ url: sw.url, account: PEOPLE.carol }).listImages({ state: 'all' });
  say(`   What carol, a stranger, sees: ${seen.length === 0 ? 'nothing' : JSON.stringify(seen)}`);
  if (seen.length > 0) throw new Error('a stranger sees an image that was not shared with her');

  heading('She copies it to us-west-1; its origin comes along. Halfway, us-west-1 is killed with SIGKILL');
  const total = base.size + increment.size;
  const before = toSw.received;
  const west2 = await copyAndKill(west, { ...westOptions, port: portOf(west.url) }, accounts, image, total);
  const moved = toSw.received - before;
  say();
  say(`   bytes of the two images          ${megabytes(total).padStart(10)}`);
  say(`   bytes that crossed the network   ${megabytes(moved).padStart(10)}  (${(moved / total).toFixed(3)} times)`);
  if (moved > 1.1 * total + 16 * 2 ** 20) throw new Error('the copy moved more bytes than it may');

  heading('What arrived, hash by hash');
  await compare(west2, baseImage, base);
  await compare(west2, image, increment);
  const there = await new ImgapiClient({ url: west2.url, account: PEOPLE.bob }).getImage(image);
  say(`   The share came along: bob sees "${there.name}" in us-west-1 too (shared as ${there.shared_as?.join(', ')}).`);

  say();
  say(`Done in ${((Date.now() - begin) / 1000).toFixed(0)} s.`);
  if (flags.keep) await keepRunning(sw, west2, image);
}

async function start(options: DatacenterOptions, accounts: string): Promise<Datacenter> {
  const datacenter = await startDatacenter(options, accounts);
  started.set(datacenter.name, datacenter);
  return datacenter;
}

async function relay(port: number): Promise<TcpProxy> {
  const proxy = await startTcpProxy(port);
  relays.push(proxy);
  return proxy;
}

async function upload(client: ImgapiClient, fields: object, tarball: Tarball): Promise<string> {
  const { uuid } = await client.createImage({ type: 'zone-dataset', os: 'linux', ...fields });
  const begin = Date.now();
  await client.addImageFile(uuid, createReadStream(tarball.path, { highWaterMark: 1 << 20 }), {
    compression: 'none',
    sha1: tarball.sha1,
    size: tarball.size,
  });
  const seconds = (Date.now() - begin) / 1000;
  await client.activateImage(uuid);
  const { name } = fields as { name: string };
  say(`   ${name.padEnd(9)} ${uuid}  ${megabytes(tarball.size)} in ${seconds.toFixed(1)} s, active`);
  return uuid;
}

async function copyAndKill(
  west: Datacenter,
  restart: DatacenterOptions,
  accounts: string,
  image: string,
  total: number,
): Promise<Datacenter> {
  const copying = imgapiadm(west, ['-a', PEOPLE.alice, 'copy', 'us-sw-1', image], { show: 'us-west-1, alice' });
  const client = new ImgapiClient({ url: west.url, account: PEOPLE.alice });
  const half = await waitFor('half of the bytes', async () => {
    const status = await client.getCopy(image).catch(() => undefined);
    return status && status.bytes_done > total / 2 ? status : undefined;
  });
  await client.destroy();
  await end(west.process, 'SIGKILL');
  say();
  say(`   us-west-1 was killed after ${megabytes(half.bytes_done)}; it starts again.`);
  const again = await start(restart, accounts);
  await copying;
  return again;
}

async function compare(datacenter: Datacenter, uuid: string, tarball: Tarball): Promise<void> {
  const stored = await sha1OfFile(join(datacenter.dataDir, 'storage', imageObjectPath(uuid, 'file0')));
  say(`   ${uuid}  ${stored}  ${stored === tarball.sha1 ? 'the same' : `NOT ${tarball.sha1}`}`);
  if (stored !== tarball.sha1) throw new Error('the copy differs');
}

interface AdmOptions {
  /** Whose prompt is shown. */
  readonly show: string;
  /** Its output is only answered. */
  readonly quiet?: boolean;
  /** Not to be shown in full. */
  readonly hide?: string;
}

/** Runs the operators' command as its user does; answers its output. @throws when it fails */
async function imgapiadm(datacenter: Datacenter, args: string[], options: AdmOptions): Promise<string> {
  const shown = args.map((arg) => (arg === options.hide ? `${arg.slice(0, 20)}…` : arg)).join(' ');
  command(`${`imgapiadm ${shown}`.padEnd(70)}  # ${options.show}`);
  const isPlain = options.quiet || !process.stdout.isTTY;
  const child = spawn(process.execPath, ['src/cli/imgapiadm.ts', ...args], {
    cwd: ROOT,
    stdio: ['ignore', isPlain ? 'pipe' : 'inherit', 'inherit'],
    env: { ...process.env, IMGAPI_URL: datacenter.url, IMGAPI_DATA_DIR: datacenter.dataDir },
  });
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    output += chunk;
    if (!options.quiet) process.stdout.write(String(chunk).replace(/^(?=.)/gm, '   '));
  });
  const [code] = (await once(child, 'close')) as [number];
  if (code !== 0) throw new Error(`imgapiadm ${shown} ended with status ${code}`);
  return output;
}

function portOf(url: string): number {
  return Number(new URL(url).port);
}

async function keepRunning(sw: Datacenter, west: Datacenter, image: string): Promise<void> {
  say();
  say('Both datacenters stay up until Ctrl-C. To try:');
  const v3 = "-H 'Accept-Version: ~3'";
  command(`curl -s ${v3} '${sw.url}/images?account=${PEOPLE.bob}&shared=true'`);
  command(`curl -s ${v3} '${west.url}/images/${image}?account=${PEOPLE.alice}'`);
  command(`curl -s ${v3} '${west.url}/images/${image}/ancestry?account=${PEOPLE.alice}'`);
  command(`curl -s ${v3} '${west.url}/images/${image}/copy?account=${PEOPLE.alice}'`);
  command(`curl -s '${west.url}/images/${image}/file?account=${PEOPLE.bob}' | sha1sum`);
  command(`IMGAPI_URL=${west.url} node src/cli/imgapiadm.ts list`);
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
}

async function cleanUp(): Promise<void> {
  for (const datacenter of started.values()) await end(datacenter.process, 'SIGTERM');
  for (const proxy of relays) await proxy.close();
}

try {
  await main();
} catch (error) {
  process.stderr.write(`demo: ${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
} finally {
  await cleanUp();
}
// The clients' kept-alive connections would hold the process for a while.
process.exit();
