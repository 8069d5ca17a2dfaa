/**
 * `make demo`: the story of RFD 113 on two datacenters of this machine, with real data and the commands that people
 * use. Alice makes an image, shares it, and copies it to the other datacenter, which is killed halfway and started
 * again. Ends with status 0 and leaves nothing running; with --keep the two stay up. With --small, for the test of what
 * README shows of it, a tenth of the data moves.
 */
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PIECE_BYTES } from '#lib/api/schemas/link.ts';
import { ImgapiClient } from '#lib/client/client.ts';
import { imageObjectPath } from '#lib/manifest/object-paths.ts';
import { freePort } from '../helpers/free-port.ts';
import { waitFor } from '../helpers/wait.ts';
import { beginRun, removeLeftovers } from '../runner/own-run.ts';
import { Datacenter } from './datacenter.ts';
import { heading, megabytes, say } from './narrator.ts';
import { type Login, makePeople, type Person, writeDirectory } from './people.ts';
import { makeBase, makeIncrement, sha1OfFile, type Tarball } from './root-filesystem.ts';
import { type Run, run, tritonEnv, typed } from './shell.ts';

/** Slow enough to watch, and to be killed halfway. */
const BYTES_PER_SECOND = 60e6;

const { values: flags } = parseArgs({
  options: {
    keep: { type: 'boolean', default: false },
    small: { type: 'boolean', default: false },
    directory: { type: 'string', default: new URL('../../build/demo', import.meta.url).pathname },
  },
});
const DIRECTORY = flags.directory;
const PART = flags.small ? 0.1 : 1;
const running: Datacenter[] = [];

interface Cloud {
  readonly people: Readonly<Record<Login, Person>>;
  readonly sw: Datacenter;
  readonly west: Datacenter;
}

interface Images {
  readonly base: Tarball & { readonly uuid: string };
  readonly increment: Tarball & { readonly uuid: string };
}

async function main(): Promise<void> {
  const begin = Date.now();
  await removeLeftovers();
  await rm(DIRECTORY, { recursive: true, force: true });
  await mkdir(DIRECTORY, { recursive: true });

  heading('Real data: two file system tarballs made of the files of this machine');
  const tarballs = { base: await makeBase(DIRECTORY, PART), increment: await makeIncrement(DIRECTORY, PART) };
  for (const [name, { size, sha1 }] of Object.entries(tarballs)) {
    say(`   ${`${name}.tar`.padEnd(14)} ${megabytes(size).padStart(9)}  sha1 ${sha1}`);
  }
  const cloud = await startCloud();
  await linkDatacenters(cloud);
  const images = await makeImages(cloud, tarballs);
  await share(cloud);
  await copy(cloud, images);
  await compare(cloud, images);
  say();
  say(`Done in ${((Date.now() - begin) / 1000).toFixed(0)} s.`);
  say(`It leaves ${megabytes(await bytesBelow(DIRECTORY))} in build/demo, which make clean removes.`);
  if (flags.keep) await keepRunning(cloud, images);
}

async function startCloud(): Promise<Cloud> {
  heading('Two datacenters of one cloud, each with its own IMGAPI, CloudAPI, data and keys');
  const people = await makePeople(DIRECTORY);
  const accountsFile = await writeDirectory(DIRECTORY, people);
  const ports = async () => ({ imgapi: await freePort(), links: await freePort(), cloudapi: await freePort() });
  const [swPorts, westPorts] = [await ports(), await ports()];
  const datacenters = {
    'us-sw-1': `http://127.0.0.1:${swPorts.cloudapi}`,
    'us-west-1': `http://127.0.0.1:${westPorts.cloudapi}`,
  };
  const common = { directory: DIRECTORY, accountsFile, datacenters };
  const sw = await Datacenter.start({ ...common, name: 'us-sw-1', ports: swPorts });
  running.push(sw);
  const bandwidth = { 'us-sw-1': BYTES_PER_SECOND * PART };
  const west = await Datacenter.start({ ...common, name: 'us-west-1', ports: westPorts, bandwidth });
  running.push(west);
  for (const { name, imgapiUrl, cloudapiUrl } of running) {
    say(`   ${name.padEnd(9)}  IMGAPI ${imgapiUrl}  CloudAPI ${cloudapiUrl}`);
  }
  const cloud = { people, sw, west };
  await triton(cloud, 'alice', sw, ['datacenters']);
  return cloud;
}

async function linkDatacenters({ sw, west }: Cloud): Promise<void> {
  heading('The operators link them: a token from one, one command on the other');
  const token = (await operator(sw, ['link-token'], { quiet: true })).trim();
  say(`   ${token.slice(0, 24)}…`);
  await operator(west, ['link-dc', 'us-sw-1', sw.relay.url, '--token', token], { secret: token });
}

async function makeImages({ people, sw }: Cloud, { base, increment }: Record<'base' | 'increment', Tarball>) {
  heading('Alice has an image in us-sw-1, and an incremental one on top of it');
  const client = new ImgapiClient({ url: sw.imgapiUrl, account: people.alice.uuid });
  const baseUuid = await upload(client, { name: 'my-base', version: '1.0.0' }, base);
  const uuid = await upload(client, { name: 'my-image', version: '1.0.0', origin: baseUuid }, increment);
  await client.destroy();
  return { base: { ...base, uuid: baseUuid }, increment: { ...increment, uuid } };
}

async function upload(
  client: ImgapiClient,
  fields: { readonly name: string; readonly [field: string]: string },
  tarball: Tarball,
) {
  const { uuid } = await client.createImage({ type: 'zone-dataset', os: 'linux', ...fields });
  const begin = Date.now();
  await client.addImageFile(uuid, createReadStream(tarball.path, { highWaterMark: 1 << 20 }), {
    compression: 'none',
    sha1: tarball.sha1,
    size: tarball.size,
  });
  const seconds = (Date.now() - begin) / 1000;
  await client.activateImage(uuid);
  say(`   ${fields.name.padEnd(9)} ${uuid}  ${megabytes(tarball.size)} in ${seconds.toFixed(1)} s, active`);
  return uuid;
}

async function share(cloud: Cloud): Promise<void> {
  heading('She shares my-image with bob, and by a slip of the finger with bib, who does not exist');
  const { sw } = cloud;
  await tritonImage(cloud, 'alice', sw, ['share', 'my-image', 'bob']);
  await tritonImage(cloud, 'alice', sw, ['share', 'my-image', 'bib']);
  say('   Both answers are the same: nobody can find out by sharing which logins exist.');
  await tritonImage(cloud, 'alice', sw, ['ls', '--mine']);
  say('   Bob sees what is shared with him, with his own triton too. Carol, a stranger, sees nothing:');
  await tritonImage(cloud, 'bob', sw, ['ls', '--shared']);
  await triton(cloud, 'bob', sw, ['image', 'list', '-o', 'shortid,name,version,flags,os,type']);
  const seen = await triton(cloud, 'carol', sw, ['image', 'list', '-a', '-j']);
  if (seen.trim() !== '') throw new Error('a stranger sees an image that was not shared with her');
}

/** `copies.connections`, by default. */
const CONNECTIONS = 16;

async function copy(cloud: Cloud, { base, increment }: Images): Promise<void> {
  heading('She copies it to us-west-1; its origin comes along. Halfway, IMGAPI there is killed with SIGKILL');
  const { people, sw, west } = cloud;
  const total = base.size + increment.size;
  const before = sw.relay.received;
  const copying = tritonImage(cloud, 'alice', west, ['cp', 'us-sw-1', 'my-image']);
  // Awaited further down; if something else fails before that, its own failure is of no interest any more.
  copying.catch(() => {});
  const client = new ImgapiClient({ url: west.imgapiUrl, account: people.alice.uuid });
  const half = await waitFor('half of the bytes', async () => {
    const status = await client.getImageCopy(increment.uuid).catch(() => undefined);
    return status && status.bytes_done > total / 2 ? status : undefined;
  });
  await client.destroy();
  await west.killImgapi();
  say();
  say(`   IMGAPI of us-west-1 was killed after ${megabytes(half.bytes_done)}; it starts again.`);
  await west.restartImgapi();
  await copying;
  const moved = sw.relay.received - before;
  say();
  say(`   bytes of the two images          ${megabytes(total).padStart(10)}`);
  say(`   bytes that crossed the network   ${megabytes(moved).padStart(10)}  (${(moved / total).toFixed(3)} times)`);
  say(
    `   At the kill each of up to ${CONNECTIONS} connections was amid a piece of ${PIECE_BYTES / 2 ** 20} MiB; no other bytes came twice.`,
  );
  if (moved > 1.1 * total + CONNECTIONS * PIECE_BYTES) throw new Error('the copy moved more bytes than it may');
}

async function compare(cloud: Cloud, { base, increment }: Images): Promise<void> {
  heading('What arrived, hash by hash');
  for (const { uuid, sha1 } of [base, increment]) {
    const stored = await sha1OfFile(join(cloud.west.dataDir, 'storage', imageObjectPath(uuid, 'file0')));
    say(`   ${uuid}  ${stored}  ${stored === sha1 ? 'the same' : `NOT ${sha1}`}`);
    if (stored !== sha1) throw new Error('the copy differs');
  }
  say('   The share came along: bob finds it in us-west-1 too.');
  await tritonImage(cloud, 'bob', cloud.west, ['ls', '--shared']);
  await operator(cloud.west, ['verify']);
}

/** One of the people at a shell, with a profile for one datacenter. */
function triton({ people }: Cloud, login: Login, datacenter: Datacenter, args: readonly string[]): Promise<string> {
  const env = tritonEnv(people[login], datacenter.cloudapiUrl);
  return run({ prompt: `${login}@${datacenter.name}`, command: 'triton', args, env });
}

function tritonImage(
  { people }: Cloud,
  login: Login,
  datacenter: Datacenter,
  args: readonly string[],
): Promise<string> {
  const env = tritonEnv(people[login], datacenter.cloudapiUrl);
  return run({ prompt: `${login}@${datacenter.name}`, command: 'triton-image', args, env });
}

function operator(datacenter: Datacenter, args: readonly string[], more: Partial<Run> = {}): Promise<string> {
  const env = { IMGAPI_URL: datacenter.imgapiUrl, IMGAPI_DATA_DIR: datacenter.dataDir };
  return run({ prompt: `operator@${datacenter.name}`, command: 'imgapiadm', args, env, ...more });
}

async function keepRunning({ people, sw, west }: Cloud, { increment: { uuid } }: Images): Promise<void> {
  const v3 = "-H 'Accept-Version: ~3'";
  const { alice, bob } = people;
  const env = tritonEnv(alice, west.cloudapiUrl);
  say();
  say('Both datacenters stay up until Ctrl-C. To try, in another shell:');
  say(`   curl -s ${v3} '${sw.imgapiUrl}/images?account=${bob.uuid}&shared=true'`);
  say(`   curl -s ${v3} '${west.imgapiUrl}/images/${uuid}?account=${alice.uuid}'`);
  say(`   curl -s ${v3} '${west.imgapiUrl}/images/${uuid}/ancestry?account=${alice.uuid}'`);
  say(`   curl -s ${v3} '${west.imgapiUrl}/images/${uuid}/copy?account=${alice.uuid}'`);
  say(`   curl -s '${west.imgapiUrl}/images/${uuid}/file?account=${bob.uuid}' | sha1sum`);
  say(`   IMGAPI_URL=${west.imgapiUrl} ${typed('imgapiadm')} list`);
  say('As alice, in us-west-1:');
  say(
    `   export ${Object.entries(env)
      .map(([name, value]) => `${name}=${value}`)
      .join(' ')}`,
  );
  say(`   ${typed('triton-image')} ls --mine`);
  say(`   ${typed('triton')} image get my-image`);
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
}

/** On disk: a file that has several names counts once. */
async function bytesBelow(directory: string): Promise<number> {
  const sizes = new Map<number, number>();
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    // The datacenters are up, and what has ended is removed by them.
    const found = await stat(join(entry.parentPath, entry.name)).catch(() => undefined);
    if (found) sizes.set(found.ino, found.size);
  }
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}

const own = beginRun();
Object.assign(process.env, own.env);
try {
  await main();
} catch (error) {
  process.stderr.write(`demo: ${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
} finally {
  for (const datacenter of running) await datacenter.stop();
  own.end();
}
// The clients' kept-alive connections would hold the process for a while.
process.exit();
