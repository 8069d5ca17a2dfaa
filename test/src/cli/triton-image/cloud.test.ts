/** The command against two real datacenters. Carol is the stranger who shares look-alikes. */
import t from 'tap';
import { ADMIN, ALICE, BOB, CAROL } from '../../../helpers/accounts.ts';
import { makeImage } from '../../../helpers/images.ts';
import { realCloud } from './real-cloud.ts';

const NOWHERE = 'http://127.0.0.1:1';
const { east, west, run } = await realCloud(t, { 'nowhere-1': NOWHERE });
const { image: base } = await makeImage(east.site.operator, { name: 'base-64', public: true }, { owner: ADMIN });
const { image: mine } = await makeImage(east.site.alice, { name: 'my-image' }, { size: 300_000 });
const { image: layered } = await makeImage(east.site.alice, { name: 'layered', origin: mine.uuid });
const { image: lookAlike } = await makeImage(east.site.client(CAROL), { name: 'base-64' });
await east.site.client(CAROL).addImageAcl(lookAlike.uuid, [BOB, ALICE]);
const short = mine.uuid.slice(0, 8);

t.test('an image is shared, seen, and left, all by login', async (t) => {
  t.strictSame(await run('alice', east, ['share', 'my-image', 'bob', 'bib']), {
    code: 0,
    stdout: 'Image "my-image" shared with account "bob"\nImage "my-image" shared with account "bib"\n',
    stderr: '',
  });
  t.match(JSON.parse((await run('alice', east, ['get', 'my-image'])).stdout), {
    id: mine.uuid,
    owner: ALICE,
    owner_login: 'alice',
    shared_with: ['bob', 'bib'],
  });
  const listed = await run('alice', east, ['ls', '--mine', '-H', '-o', 'shortid,name,flags,shared_with']);
  t.match(listed.stdout, new RegExp(`^${short} +my-image +\\+ +bob,bib\n`));

  const shared = await run('bob', east, ['ls', '--shared']);
  t.match(shared.stdout, /^SHORTID +OWNER_LOGIN +NAME +VERSION +FLAGS +OS +TYPE +PUBDATE\n/);
  t.match(
    shared.stdout,
    new RegExp(`\n${short} +alice +my-image +1\\.0\\.0 +S +smartos +zone-dataset +\\d{4}-\\d\\d-\\d\\d\n`),
  );
  t.match(JSON.parse((await run('bob', east, ['get', '-S', 'alice', 'my-image'])).stdout), { id: mine.uuid });
  t.match(JSON.parse((await run('bob', east, ['get', '-S', ALICE, short])).stdout), { id: mine.uuid });
  t.match(await run('bob', east, ['get', 'my-image']), {
    code: 4,
    stderr: /alice shares [0-9a-f-]{36}, which may be what you mean/,
  });
  t.match(await run('bob', east, ['get', '-S', 'carol', 'my-image']), { code: 4 });

  t.match(await run('bob', east, ['share', mine.uuid, 'carol']), { code: 1, stderr: /error \(NotImageOwner\)/ });
  t.match(await run('bob', east, ['leave', '-S', 'alice', 'my-image']), {
    code: 0,
    stdout: 'Image "my-image" of account "alice" is no longer shared with you\n',
  });
  t.match(await run('bob', east, ['get', mine.uuid]), { code: 4 });
  t.match(await run('alice', east, ['unshare', 'my-image', 'bob', 'bib']), { code: 0, stdout: /no longer shared/ });
  t.notOk(JSON.parse((await run('alice', east, ['get', 'my-image'])).stdout).shared_with?.length);
});

t.test('a name never finds the look-alike that a stranger shares', async (t) => {
  for (const login of ['alice', 'bob'] as const) {
    for (const name of ['base-64', 'base-64@1.0.0']) {
      t.match(JSON.parse((await run(login, east, ['get', name])).stdout), { id: base.uuid, public: true });
    }
    t.match(JSON.parse((await run(login, east, ['get', '-S', 'carol', 'base-64'])).stdout), { id: lookAlike.uuid });
    t.match(await run(login, east, ['get', '-S', 'admin', 'base-64']), { code: 4 });
  }
});

t.test('ancestry shows the chain', async (t) => {
  const { stdout } = await run('alice', east, ['ancestry', '-H', '-o', 'uuid,name,owner', 'layered']);
  t.equal(stdout, `${layered.uuid}  layered   alice\n${mine.uuid}  my-image  alice\n`);
});

t.test('a copy is planned, made, repeated, and told', async (t) => {
  const dryRun = await run('alice', west, ['cp', '--dry-run', east.site.name, 'layered']);
  t.match(
    dryRun.stdout,
    new RegExp(`${mine.uuid} +my-image .* would be copied\n${layered.uuid} +layered .* would be copied\n`),
  );
  t.match(await run('alice', west, ['get', layered.uuid]), { code: 4 }, 'nothing was ordered');
  t.match(await run('alice', west, ['cp', east.site.name, 'layered']), {
    code: 0,
    stdout: /^Image [0-9a-f]{8} layered@1\.0\.0 \(2 images\) copied from us-east: 391 KiB in 0:\d\d\.\n$/,
  });
  t.match(JSON.parse((await run('alice', west, ['get', 'layered'])).stdout), {
    state: 'active',
    copied_from: { datacenter: east.site.name },
  });
  await east.site.alice.updateImage(layered.uuid, { description: 'better' });
  t.match(await run('alice', west, ['cp', east.site.name, layered.uuid]), {
    code: 0,
    stdout: /is here already\. 1 field refreshed from us-east\.\n.*\ndescription +- +better\n$/,
  });
  t.match(await run('alice', west, ['wait', 'layered']), { code: 0, stdout: /is active\.\n$/ });
});

t.test('what may not be copied is refused: a public image, and one that is only shared', async (t) => {
  t.match(await run('alice', west, ['cp', east.site.name, 'base-64']), {
    code: 4,
    stderr: /no image "base-64" of your own\n/,
  });
  t.match(await run('alice', west, ['cp', east.site.name, base.uuid]), {
    code: 4,
    stderr: /error \(ResourceNotFound\)/,
  });
  t.match(await run('alice', west, ['cp', east.site.name, lookAlike.uuid]), { code: 4 });
});

t.test('--to all copies to those that can be reached and tells the others', async (t) => {
  const { image } = await makeImage(east.site.alice, { name: 'everywhere' });
  const { code, stdout, stderr } = await run('alice', east, ['cp', '--to', 'all', 'everywhere']);
  t.equal(code, 1);
  t.match(stdout, /^us-west: Image [0-9a-f]{8} everywhere@1\.0\.0 copied from us-east: /);
  t.match(stderr, /nowhere-1: failed: \(Unreachable\) /);
  t.match(stderr, /the copy failed at 1 of 2 datacenters\n {4}nowhere-1: \(Unreachable\) /);
  t.match(stderr, `to repeat it there:  triton-image cp --to nowhere-1 ${image.uuid}\n`);
  t.equal((await west.site.alice.getImage(image.uuid)).state, 'active');
});

t.test('a running copy is canceled', async (t) => {
  const { image } = await makeImage(east.site.alice, { name: 'heavy' }, { size: 4 * 1024 * 1024 });
  east.site.network.trouble = { kind: 'slow', bytesPerSecond: 200_000 };
  t.teardown(() => {
    east.site.network.trouble = { kind: 'none' };
  });
  t.match(await run('alice', west, ['cp', '--no-wait', east.site.name, 'heavy']), { code: 0, stdout: /^Ordered: / });
  t.match(await run('alice', west, ['ls', '--mine', '-aH', '-o', 'name,state']), { stdout: /heavy +copying\n/ });
  t.match(await run('alice', west, ['cancel', 'heavy']), {
    code: 0,
    stdout: /^Copy of .* heavy@1\.0\.0 from us-east is canceled\.\n$/,
  });
  t.match(await run('alice', west, ['get', '-a', image.uuid]), { code: 4 });
});

t.test('a key that is not of the account is refused', async (t) => {
  t.match(await run('bob', east, ['-a', 'alice', 'ls']), {
    code: 1,
    stderr: /error \(InvalidCredentials\)[\s\S]*check that the account has this key there/,
  });
});
