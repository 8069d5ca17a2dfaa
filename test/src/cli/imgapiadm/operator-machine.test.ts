/** imgapiadm beside a real server, as on the server's machine. */
import { networkInterfaces } from 'node:os';
import { test } from 'tap';
import { ALICE, BOB } from '../../../helpers/accounts.ts';
import { makeImage } from '../../../helpers/images.ts';
import { startInProcess } from '../../../helpers/imgapi.ts';
import { runImgapiadm } from '../capture.ts';

test('an operator names accounts by login and images by short id, name and version', async (t) => {
  const { url, dataDir, client } = await startInProcess(t);
  const { image } = await makeImage(client(), { name: 'web', version: '2.0.0' }, { owner: ALICE });
  await makeImage(client(), { name: 'web', version: '1.0.0' }, { owner: BOB });
  const run = (...args: string[]) => runImgapiadm(args, { env: { IMGAPI_URL: url, IMGAPI_DATA_DIR: dataDir } });

  t.equal((await run('list', '-H', '-o', 'name,version,owner', '-a', 'alice')).stdout, 'web  2.0.0  alice\n');
  t.equal((await run('list', '-H', '-o', 'version', 'owner=bob')).stdout, '1.0.0\n');
  t.equal(JSON.parse((await run('get', 'web', '-a', 'alice')).stdout).uuid, image.uuid);
  t.equal(JSON.parse((await run('get', image.uuid.slice(0, 8))).stdout).uuid, image.uuid);
  t.match(await run('get', 'web'), { code: 1, stderr: /several owners have an image called "web"/ });
  t.match(await run('verify', 'web@2.0.0'), { code: 0, stdout: new RegExp(`^${image.uuid} file0 web: ok\n1 file,`) });
  t.match(await run('share', 'web@2.0.0', 'bob'), { code: 0, stdout: /is shared with "bob"\.\n$/ });
  t.match(await run('unshare', 'web@2.0.0', 'carol'), { code: 1, stderr: /is not shared with "carol", and nothing/ });
  t.match(await run('list', '-a', 'dave'), { code: 4, stderr: /account "dave" not found: there is no such account/ });
});

const outward = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ internal, family }) => !internal && family === 'IPv4')?.address;
const noAddress = outward === undefined && 'this machine has no address of a network';

for (const address of ['0.0.0.0', outward ?? '']) {
  const skip = address === '' && noAddress;
  test(`a server that listens at ${address || 'a network'} is administered on its machine`, { skip }, async (t) => {
    const { url, dataDir } = await startInProcess(t, { address });
    const env = { IMGAPI_URL: url, IMGAPI_DATA_DIR: dataDir };
    t.match(await runImgapiadm(['reap', '-n'], { env }), { code: 0, stderr: '' });
    if (outward === undefined) return;
    const there = new URL(url);
    there.hostname = outward;
    t.match(await runImgapiadm(['reap', '-n', '-u', there.origin], { env }), { code: 0, stderr: '' });
  });
}

test('of a server that checks nothing its operator finds by name what is not active; others do not', async (t) => {
  const { url, dataDir, client } = await startInProcess(t, { mode: 'private', authType: 'none' });
  const { image: old } = await makeImage(client(), { name: 'web', version: '1.0.0' }, { owner: ALICE });
  await makeImage(client(), { name: 'web', version: '2.0.0' }, { owner: ALICE });
  const run = (...args: string[]) => runImgapiadm(args, { env: { IMGAPI_URL: url, IMGAPI_DATA_DIR: dataDir } });
  t.match(await run('disable', 'web@1.0.0'), { code: 0, stdout: `Image ${old.uuid} (web@1.0.0) is disabled.\n` });
  t.match((await run('list', '--all', '-H', '-o', 'version,state')).stdout, /^1\.0\.0 +disabled\n2\.0\.0 +active\n$/);
  t.match(await run('delete', 'web'), { code: 1, stderr: /"web" names 2 images/ }, 'one that is disabled counts');
  t.match(await run('enable', 'web@1.0.0'), { code: 0 });
  await run('disable', 'web@1.0.0');
  t.same((await client().listImages({ state: 'disabled' })).length, 0);
});

test('whose a login is, the server tells operators on its machine only', async (t) => {
  const { url } = await startInProcess(t);
  const answer = await globalThis.fetch(`${url}/admin/accounts/alice`);
  t.equal(answer.status, 401);
  const { url: publicUrl, dataDir } = await startInProcess(t, { mode: 'private', authType: 'none' });
  const env = { IMGAPI_URL: publicUrl, IMGAPI_DATA_DIR: dataDir };
  t.match(await runImgapiadm(['list', '-a', 'alice'], { env }), {
    code: 4,
    stderr: /there are no accounts in private/,
  });
});
