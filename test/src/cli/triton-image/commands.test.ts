import { test } from 'tap';
import { jsonLines } from '../capture.ts';
import { ALICE, BASE, BOB, copyStatus, doneStatus, UUID } from '../fixtures.ts';
import { type Answer, json, lines } from '../playback.ts';
import { cloudImage, listing, makeUser, played } from './home.ts';

const ADMIN = '930896af-bf8c-48d4-885c-6573a94b1853';
const MINE = cloudImage({ acl: ['bob', 'bib'], shared_with: ['bob', 'bib'] });
const BASE_IMAGE = cloudImage({
  uuid: BASE,
  name: 'base',
  version: '18.4.0',
  owner: ADMIN,
  owner_login: 'admin',
  public: true,
  published_at: '2016-05-01T00:00:00.000Z',
});
const SHARED = cloudImage({
  uuid: 'bbbbbbbb-0000-4000-8000-000000000000',
  name: 'tools',
  owner: BOB,
  owner_login: 'bob',
  acl: [ALICE],
  shared_as: ['alice'],
  origin: BASE,
  published_at: '2018-02-03T00:00:00.000Z',
});
const COMING = cloudImage({
  uuid: 'cccccccc-0000-4000-8000-000000000000',
  state: 'copying',
  published_at: '2015-01-01T00:00:00.000Z',
});
const LIST = { 'GET /images': listing(SHARED, MINE, BASE_IMAGE, COMING) };

test('ls shows what can be used, whose it is and how it is shared', async (t) => {
  const { run } = await played(t, LIST);
  t.strictSame(await run(['ls']), {
    code: 0,
    stdout: [
      'SHORTID   OWNER_LOGIN  NAME      VERSION  FLAGS  OS       TYPE          PUBDATE',
      '1f0e2d3c  admin        base      18.4.0   P      smartos  zone-dataset  2016-05-01',
      '0965c1f4  alice        my-image  1.0.0    +      smartos  zone-dataset  2017-10-17',
      'bbbbbbbb  bob          tools     1.0.0    SI     smartos  zone-dataset  2018-02-03',
      '',
    ].join('\n'),
    stderr: '',
  });
});

test('ls --shared shows only what others share', async (t) => {
  const { run, server } = await played(t, LIST);
  const { stdout } = await run(['list', '--shared', '-H', '-o', 'shortid,owner_login,flags']);
  t.equal(stdout, 'bbbbbbbb  bob  SI\n');
  t.ok(server.asked.some(({ path }) => path === '/alice/images?shared=true'));
});

test('ls --mine has a column with whom they are shared, and -a those that are not there yet', async (t) => {
  const { run } = await played(t, LIST);
  t.equal(
    (await run(['ls', '--mine', '-a'])).stdout,
    [
      'SHORTID   NAME      VERSION  FLAGS  OS       PUBDATE     SHARED_WITH',
      'cccccccc  my-image  1.0.0    X      smartos  2015-01-01  -',
      '0965c1f4  my-image  1.0.0    +      smartos  2017-10-17  bob,bib',
      '',
    ].join('\n'),
  );
});

test('-a before the command is the account, after ls it is all', async (t) => {
  const { run, server } = await played(t, LIST);
  const { stdout } = await run(['-a', 'alice', 'ls', '-aH', '-o', 'state', '--mine'], {
    env: { TRITON_ACCOUNT: 'eve' },
  });
  t.equal(stdout, 'copying\nactive\n');
  t.match(server.asked[0]?.headers.authorization, /keyId="\/alice\/keys\//);
});

test('ls takes filters, and refuses those that CloudAPI does not know', async (t) => {
  const { run, server } = await played(t, LIST);
  await run(['ls', 'os=smartos', 'name=~mage', 'public=false']);
  t.ok(server.asked.some(({ path }) => path === '/alice/images?os=smartos&name=%7Emage&public=false'));
  t.match(await run(['ls', 'billing_tag=x']), {
    code: 2,
    stderr: /unknown filter "billing_tag"; the filters are owner, /,
  });
  t.match(await run(['ls', '--mine', '--shared']), { code: 2, stderr: /give one of --shared, --offered and --mine/ });
  t.match(await run(['ls', '-o', 'sate']), { code: 2, stderr: /unknown column "sate"; did you mean "state"/ });
});

test('ls -l shows the whole UUID and the state', async (t) => {
  const { run } = await played(t, LIST);
  const { stdout } = await run(['ls', '-lH', '--shared']);
  t.match(stdout, `${SHARED.id}  bob  tools  1.0.0  active  SI `);
});

test('ls --json is what CloudAPI answers', async (t) => {
  const { run } = await played(t, LIST);
  t.strictSame(jsonLines((await run(['ls', '-j'])).stdout), [BASE_IMAGE, MINE, SHARED]);
});

test('a name that would steer the terminal is shown harmless', async (t) => {
  const { run } = await played(t, { 'GET /images': json([{ ...SHARED, name: 'x\u001b[2J' }]) });
  t.match((await run(['ls'])).stdout, 'x\\u{1b}[2J');
});

test('share and unshare tell each account, as the RFD shows it', async (t) => {
  const { run, server } = await played(t, {
    ...LIST,
    [`GET /images/${UUID}`]: json(MINE),
    [`POST /images/${UUID}`]: json({ ...MINE, shared_with: [] }),
  });
  t.strictSame(await run(['share', 'my-image', 'bob', 'bib']), {
    code: 0,
    stdout: 'Image "my-image" shared with account "bob"\nImage "my-image" shared with account "bib"\n',
    stderr: '',
  });
  t.strictSame((await run(['unshare', UUID, 'bob'])).stdout, 'Image "my-image" no longer shared with account "bob"\n');
  t.match(JSON.parse((await run(['share', '--json', 'my-image', 'bob'])).stdout), { id: UUID });
  t.strictSame(
    server.asked.flatMap(({ method, path }) => (method === 'POST' ? [path] : [])),
    ['bob&action=share', 'bib&action=share', 'bob&action=unshare', 'bob&action=share'].map(
      (change) => `/alice/images/${UUID}?account=${change}`,
    ),
  );
});

test('share that the server refuses tells how far it went', async (t) => {
  const refused = json({ code: 'ValidationFailed', message: 'acl has 1,000 entries already' }, 422);
  const { run } = await played(t, { ...LIST, [`POST /images/${UUID}`]: [json(MINE), refused] });
  t.strictSame(await run(['share', 'my-image', 'bob', 'bib']), {
    code: 1,
    stdout: 'Image "my-image" shared with account "bob"\n',
    stderr: 'triton-image: error (ValidationFailed): acl has 1,000 entries already\n',
  });
});

test('several names are checked before the first is written', async (t) => {
  const { run, server } = await played(t, { ...LIST, [`GET /images/${UUID}`]: json(MINE) });
  t.match(await run(['share', 'my-image', 'carol', '?']), {
    code: 2,
    stderr: /ACCOUNT is "\?"; it must be a UUID, or/,
  });
  t.match(await run(['unshare', 'my-image', 'bob', 'carol']), {
    code: 1,
    stdout: '',
    stderr:
      /error \(NotShared\): .* is not shared with "carol", and nothing was changed; it is shared with "bob", "bib"/,
  });
  t.notOk(server.asked.some(({ method }) => method === 'POST'));
});

test('unshare says what still opens the image', async (t) => {
  const after = { ...MINE, shared_with: ['bib', BOB] };
  const { run } = await played(t, { [`GET /images/${UUID}`]: json(MINE), [`POST /images/${UUID}`]: json(after) });
  t.equal(
    (await run(['unshare', UUID, 'bob'])).stdout,
    `Image "my-image" no longer shared with account "bob"\nIt is still shared with "bib", "${BOB}"\n`,
  );
});

test('ls owner=LOGIN lists what is of that account', async (t) => {
  const { run, server } = await played(t, LIST);
  t.equal((await run(['ls', '-H', '-o', 'shortid', 'owner=bob'])).stdout, 'bbbbbbbb\n');
  t.notOk(
    server.asked.some(({ path }) => path.includes('owner=')),
    'CloudAPI takes no login there',
  );
});

test('leave ends the own access, of an image that is named with its owner or by UUID', async (t) => {
  const left = { [`GET /images/${SHARED.id}`]: json(SHARED), [`POST /images/${SHARED.id}`]: json({}, 200) };
  const { run, server } = await played(t, { ...LIST, ...left });
  const told = 'Image "tools" of account "bob" is no longer shared with you\n';
  t.strictSame(await run(['leave', '-S', 'bob', 'tools']), { code: 0, stdout: told, stderr: '' });
  t.strictSame((await run(['leave', SHARED.id])).stdout, told);
  t.match(JSON.parse((await run(['leave', SHARED.id, '--json'])).stdout), { id: SHARED.id, owner_login: 'bob' });
  const posted = server.asked.filter(({ method }) => method === 'POST').map(({ path }) => path);
  t.strictSame(new Set(posted), new Set([`/alice/images/${SHARED.id}?account=${ALICE}&action=unshare`]));
  t.equal(posted.length, 3);
});

test('leave refuses what is not shared', async (t) => {
  const script = { ...LIST, [`GET /images/${UUID}`]: json(MINE), [`GET /images/${BASE}`]: json(BASE_IMAGE) };
  const { run, server } = await played(t, script);
  t.match(await run(['leave', 'tools']), {
    code: 2,
    stderr: /without -S OWNER, name the image by its UUID/,
  });
  t.match(await run(['leave', UUID]), { code: 1, stderr: /is your own; only what somebody shares/ });
  t.match(await run(['leave', BASE]), { code: 1, stderr: /is public; only what/ });
  t.notOk(server.asked.some(({ method }) => method === 'POST'));
});

test('usage tells who uses an image of the account', async (t) => {
  const usage = {
    uuid: UUID,
    derived: { count: 0, complete: true, images: [] },
    datacenters: [{ datacenter: 'east', state: 'active' }],
  };
  const { run } = await played(t, { ...LIST, [`GET /images/${UUID}/usage`]: json(usage) });
  t.match(await run(['usage', 'my-image']), { code: 0, stdout: /^0 images on top of it\.\n1 other datacenter:\n/ });
  t.match(await run(['usage', '-H', '-o', 'kind,name', UUID]), { stdout: 'datacenter  east\n' });
  t.strictSame(jsonLines((await run(['usage', '-j', UUID])).stdout), [usage]);
});

test('ancestry shows the image first, then each origin', async (t) => {
  const derived = { ...MINE, origin: BASE };
  const { run } = await played(t, { ...LIST, [`GET /images/${UUID}/ancestry`]: json([derived, BASE_IMAGE]) });
  t.strictSame(await run(['ancestry', 'my-image']), {
    code: 0,
    stdout: [
      'SHORTID   NAME      VERSION  STATE   OWNER     SIZE',
      `${UUID.slice(0, 8)}  my-image  1.0.0    active  alice  5.0 MiB`,
      `${BASE.slice(0, 8)}  base      18.4.0   active  admin  5.0 MiB`,
      '',
    ].join('\n'),
    stderr: '',
  });
  t.strictSame(jsonLines((await run(['ancestry', '-j', UUID])).stdout), [derived, BASE_IMAGE]);
  t.strictSame(jsonLines((await run(['ancestry', '-j', '-s', 'name', UUID])).stdout), [BASE_IMAGE, derived]);
});

test('wait watches the copy, of the image of that name that is on its way', async (t) => {
  const { run, server } = await played(t, {
    ...LIST,
    [`GET /images/${COMING.id}/copy`]: lines(copyStatus(), doneStatus()),
  });
  t.strictSame(await run(['wait', 'my-image']), {
    code: 0,
    stdout: 'Image 0965c1f4 my-image@1.0.0 copied from us-sw-1: 100 MiB in 1:05.\n',
    stderr: 'copy from us-sw-1: 1 image, 100 MiB, 25% here already\nsucceeded: 100 of 100 MiB\n',
  });
  t.match(server.asked.at(-1), { headers: { accept: 'application/x-json-stream' } });
});

test('wait for what is there already ends at once', async (t) => {
  const { run } = await played(t, { [`GET /images/${UUID}`]: json(MINE) });
  t.strictSame(await run(['wait', UUID]), {
    code: 0,
    stdout: 'Image 0965c1f4 my-image@1.0.0 is active.\n',
    stderr: '',
  });
  t.strictSame(JSON.parse((await run(['wait', UUID, '--json'])).stdout), MINE);
});

test('wait for an image that is made here asks until it is there', async (t) => {
  const noCopy = json({ code: 'ResourceNotFound', message: 'no copy' }, 404);
  const creating = json({ ...MINE, state: 'creating' });
  const { run } = await played(t, {
    [`GET /images/${UUID}`]: [creating, creating, json(MINE)],
    [`GET /images/${UUID}/copy`]: noCopy,
  });
  t.match(await run(['wait', UUID]), { code: 0, stdout: /is active\.\n$/ });
  const failed = json({ ...MINE, state: 'failed', error: { code: 'PrepareImageDidNotRun', message: 'it did not' } });
  const other = await played(t, { [`GET /images/${UUID}`]: [creating, failed], [`GET /images/${UUID}/copy`]: noCopy });
  t.match(await other.run(['wait', UUID]), {
    code: 1,
    stderr: /error \(PrepareImageDidNotRun\): image .* is failed: it did not\n/,
  });
});

test('wait for a copy that failed says why', async (t) => {
  const failed = copyStatus({ state: 'failed', error: { code: 'SourceChanged', message: 'other bytes now' } });
  const script = {
    [`GET /images/${UUID}`]: json({ ...MINE, state: 'failed' }),
    [`GET /images/${UUID}/copy`]: lines(failed),
  };
  const { run } = await played(t, script);
  t.match(await run(['wait', UUID]), { code: 1, stderr: /error \(SourceChanged\): other bytes now\n/ });
});

test('cancel ends the copy of the image of that name that is on its way', async (t) => {
  const { run, server } = await played(t, {
    ...LIST,
    [`DELETE /images/${COMING.id}/copy`]: json(copyStatus({ state: 'canceled' })),
  });
  t.strictSame(await run(['cancel', 'my-image']), {
    code: 0,
    stdout: 'Copy of 0965c1f4 my-image@1.0.0 from us-sw-1 is canceled.\n',
    stderr: '',
  });
  t.match(jsonLines((await run(['cancel', COMING.id, '-j'])).stdout), [{ state: 'canceled' }]);
  t.equal(server.asked.filter(({ method }) => method === 'DELETE').length, 2);
});

test('what an account is refused is told with the code of the server', async (t) => {
  const { run } = await played(t, {
    'GET /images': json({ code: 'InvalidCredentials', message: 'The signature does not verify' }, 401),
    [`GET /images/${UUID}`]: json({ code: 'ResourceNotFound', message: 'no image' }, 404),
  });
  t.match(await run(['ls']), {
    code: 1,
    stderr: /error \(InvalidCredentials\): .*\n {4}check that the account has this key there/,
  });
  t.match(await run(['get', UUID]), { code: 4, stderr: /error \(ResourceNotFound\): no image\n/ });
});

test('a CloudAPI that is not there is exit status 3', async (t) => {
  const user = await makeUser(t);
  const { run, server } = await played(t, LIST, user);
  await server.stop();
  t.match(await run(['ls']), { code: 3, stderr: /error \(Unreachable\): .*\n {4}the CloudAPI is named by/ });
});

test('an operator acts for another account', async (t) => {
  const { run, server } = await played(t, LIST);
  await run(['--act-as', 'alice', '-a', 'root', 'ls']);
  t.match(server.asked[0], { path: /^\/alice/, headers: { authorization: /keyId="\/root\/keys\// } });
});

test('a sub-user signs with its own key, and takes the roles that it names', async (t) => {
  const { run, server } = await played(t, LIST);
  await run(['-u', 'deploy', '-r', 'readers,writers', 'ls']);
  t.match(server.asked[0], {
    path: /^\/alice.*[?&]as-role=readers%2Cwriters/,
    headers: { authorization: /keyId="\/alice\/users\/deploy\/keys\// },
  });
});

test('a share that was left is marked to the owner', async (t) => {
  const { run } = await played(t, {
    'GET /images': listing(cloudImage({ shared_with: ['bob', 'bib'], left_by: ['bob'] })),
  });
  t.equal((await run(['ls', '--mine', '-H', '-o', 'shared_with'])).stdout, 'bob (left),bib\n');
});

test('events shows what happened to an image of the account', async (t) => {
  const event = {
    ...{ id: '019c1000-0000-7000-8000-000000000002', time: '2026-01-31T12:00:02.345Z', kind: 'update', image: UUID },
    ...{ actor: { kind: 'operator' }, details: { fields: ['description', 'tags'] } },
  };
  const { run, server } = await played(t, { ...LIST, [`GET /images/${UUID}/events`]: json([event]) });
  t.equal(
    (await run(['events', 'my-image', '--kind', 'update', '--limit', '1'])).stdout,
    [
      'TIME_UTC             KIND    ACTOR     DETAILS',
      '2026-01-31T12:00:02  update  operator  fields description tags',
      '',
    ].join('\n'),
  );
  t.equal(server.asked.at(-1)?.path, `/alice/images/${UUID}/events?kind=update&limit=1`);
  t.strictSame(jsonLines((await run(['events', UUID, '-j'])).stdout), [event]);
});

test('share-settings changes what is named, and says what there is', async (t) => {
  const settings = { acceptance: 'offers', own: true, trusted: ['alice', 'carol'] };
  const change: Answer = (response, asked) => json({ ...settings, ...JSON.parse(asked.body) })(response, asked);
  const { run } = await played(t, { 'GET /sharesettings': json(settings), 'POST /sharesettings': change });
  t.match(await run(['share-settings']), { code: 0, stdout: /is offered.*\nTrusted: alice, carol\n/ });
  const changed = await run(['share-settings', '--trust', 'dave,alice', '--distrust', 'carol', '-j']);
  t.match(JSON.parse(changed.stdout), { acceptance: 'offers', trusted: ['alice', 'dave'] });
  t.match(await run(['share-settings', '--distrust', 'mallory']), {
    code: 2,
    stderr: /it is not trusted by that name/,
  });
  t.match(await run(['share-settings', '--acceptance', 'never']), { code: 2, stderr: /automatic, offers, default/ });
});
