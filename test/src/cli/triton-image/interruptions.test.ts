/** A copy goes on whatever dies: the command, either CloudAPI, either IMGAPI. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import t from 'tap';
import { MiB } from '../../../helpers/cloud.ts';
import { makeImage } from '../../../helpers/images.ts';
import { waitFor } from '../../../helpers/wait.ts';
import { CapturedSink } from '../capture.ts';
import { type Place, realCloud } from './real-cloud.ts';

const SIZE = 8 * MiB;
const { east, west, run, env } = await realCloud(t);

/** An image whose copy takes a while, ordered and on its way. */
async function underWay(name: string): Promise<string> {
  const { image } = await makeImage(east.site.alice, { name }, { size: SIZE });
  east.site.network.trouble = { kind: 'slow', bytesPerSecond: 2 * MiB };
  return image.uuid;
}

/** Once bytes flow, and before all of them came. */
async function flowing(before: number): Promise<void> {
  await waitFor('bytes to flow', () => east.site.network.received > before + SIZE / 10);
}

async function assertUsable(t: Pick<typeof import('tap').default, 'equal'>, uuid: string): Promise<void> {
  t.equal((await west.site.alice.getImage(uuid)).state, 'active');
}

const DEATHS: readonly [what: string, die: () => Promise<unknown>, live: () => Promise<unknown>][] = [
  ["the destination's CloudAPI", () => west.killCloudapi(), () => west.startCloudapi()],
  ["the destination's IMGAPI", () => west.site.kill(), () => west.site.start()],
  ["the source's IMGAPI", () => east.site.kill(), () => east.site.start()],
  ["the source's CloudAPI", () => east.killCloudapi(), () => east.startCloudapi()],
];

for (const [what, die, live] of DEATHS) {
  t.test(`${what} dies and comes back, and the command watches the copy to its end`, async (t) => {
    const before = east.site.network.received;
    const uuid = await underWay('survivor');
    const stderr = new CapturedSink();
    const ran = run('alice', west, ['cp', east.site.name, uuid], { stderr });
    await flowing(before);
    await die();
    await live();
    const { code, stdout } = await ran;
    t.equal(code, 0, stderr.text);
    t.match(stdout, /survivor@1\.0\.0 copied from us-east: 8\.0 MiB in /);
    await assertUsable(t, uuid);
  });
}

/** As a process, with what it writes to standard error. */
function start(at: Place, args: readonly string[]) {
  const child = spawn(process.execPath, ['src/cli/triton-image/main.ts', ...args], {
    env: { PATH: process.env['PATH'], ...env('alice', at) },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let text = '';
  child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, text }));
  t.teardown(() => child.kill('SIGKILL'));
  return { child, ended };
}

for (const signal of ['SIGINT', 'SIGKILL'] as const) {
  t.test(`the command ends by ${signal}, and wait comes back to the copy`, async (t) => {
    const before = east.site.network.received;
    const uuid = await underWay(`left-${signal.toLowerCase()}`);
    const { child, ended } = start(west, ['cp', east.site.name, uuid]);
    await flowing(before);
    child.kill(signal);
    const { code, text } = await ended;
    t.equal(code, signal === 'SIGINT' ? 130 : null);
    if (signal === 'SIGINT') t.match(text, `to watch it again:  triton-image wait ${uuid}\n`);
    t.equal((await west.site.alice.getImage(uuid)).state, 'copying');
    t.match(await run('alice', west, ['wait', `left-${signal.toLowerCase()}`]), {
      code: 0,
      stdout: /copied from us-east/,
    });
    await assertUsable(t, uuid);
  });
}
