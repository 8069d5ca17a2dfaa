import { test } from 'tap';
import { runImgapiadm } from '../capture.ts';
import { ALICE, BASE, BOB, image, UUID } from '../fixtures.ts';
import { json, playBack } from '../playback.ts';

const IMAGES = [
  image({ acl: ['bob'], origin: BASE }),
  image({
    uuid: BASE,
    name: 'base',
    version: '18.4.0',
    public: true,
    owner: BOB,
    owner_login: 'admin',
    state: 'disabled',
  }),
];

test('images are listed in aligned columns', async (t) => {
  const server = await playBack(t, { 'GET /images': json(IMAGES) });
  t.strictSame(await runImgapiadm(['list', '-u', server.url]), {
    code: 0,
    stdout: [
      'SHORTID   NAME      VERSION  OS       TYPE          STATE     FLAGS  OWNER  PUBDATE',
      '0965c1f4  my-image  1.0.0    smartos  zone-dataset  active    +I     alice  2017-10-17',
      '1f0e2d3c  base      18.4.0   smartos  zone-dataset  disabled  PX     admin  2017-10-17',
      '',
    ].join('\n'),
    stderr: '',
  });
});

test('the whole UUID, other columns and no header are shown on demand', async (t) => {
  const server = await playBack(t, { 'GET /images': json(IMAGES) });
  const long = await runImgapiadm(['ls', '-l', '-u', server.url]);
  t.match(long.stdout, new RegExp(`^UUID +NAME.*\n${UUID}  my-image`));
  const chosen = await runImgapiadm(['list', '-H', '-o', 'name,size,OWNER_UUID', '-u', server.url]);
  t.equal(chosen.stdout, `my-image  5.0 MiB  ${ALICE}\nbase      5.0 MiB  ${BOB}\n`);
});

test('JSON is one document with all that the server said', async (t) => {
  const server = await playBack(t, { 'GET /images': json(IMAGES) });
  const { stdout } = await runImgapiadm(['list', '--json', '-u', server.url]);
  t.strictSame(JSON.parse(stdout), JSON.parse(JSON.stringify(IMAGES)));
});

test('filters reach the server', async (t) => {
  const server = await playBack(t, { 'GET /images': json([]) });
  await runImgapiadm(['list', '--all', '--shared', 'name=~a b', 'tag.role=web', '-u', server.url, '-a', ALICE]);
  const { searchParams } = new URL(server.asked[0]?.path ?? '', server.url);
  t.match(Object.fromEntries(searchParams), { state: 'all', shared: 'true', name: '~a b', 'tag.role': 'web' });
});

test('a limit ends the list, and asks for no more than it shows', async (t) => {
  const server = await playBack(t, { 'GET /images': json(IMAGES) });
  const { stdout } = await runImgapiadm(['list', '-H', '-o', 'name', '--limit', '1', '-u', server.url]);
  t.equal(stdout, 'my-image\n');
  t.match(server.asked[0]?.path, /limit=1(&|$)/);
  t.equal(server.asked.length, 1);
});

test('shared images need to be told of which account', async (t) => {
  t.match(await runImgapiadm(['list', '--shared']), { code: 2, stderr: /name it with --account/ });
});

test('a wrong column is found before the server is asked', async (t) => {
  const server = await playBack(t, {});
  t.match(await runImgapiadm(['list', '-o', 'nmae', '-u', server.url]), { code: 2, stderr: /did you mean "name"/ });
  t.equal(server.asked.length, 0);
});

test('an image is its manifest', async (t) => {
  const server = await playBack(t, { [`GET /images/${UUID}`]: json(IMAGES[0]) });
  const { code, stdout } = await runImgapiadm(['get', UUID, '--admin', '-u', server.url]);
  t.equal(code, 0);
  t.match(JSON.parse(stdout), { uuid: UUID, acl: ['bob'] });
  t.match(server.asked[0]?.path, /inclAdminFields=true/);
});

test('an image is shared, and unshared, with accounts as they are typed', async (t) => {
  const server = await playBack(t, { [`POST /images/${UUID}/acl`]: json(image()) });
  t.strictSame(await runImgapiadm(['share', UUID, 'bob', BOB, '-u', server.url]), {
    code: 0,
    stdout: `Image ${UUID} (my-image@1.0.0) is shared with "bob", "${BOB}".\n`,
    stderr: '',
  });
  t.strictSame(await runImgapiadm(['unshare', UUID, 'bob', '-u', server.url]), {
    code: 0,
    stdout: `Image ${UUID} (my-image@1.0.0) is not shared with "bob" any more.\n`,
    stderr: '',
  });
  t.match(server.asked, [
    { method: 'POST', path: `/images/${UUID}/acl`, body: JSON.stringify(['bob', BOB]) },
    { method: 'POST', path: `/images/${UUID}/acl?action=remove`, body: '["bob"]' },
  ]);
  const { stdout } = await runImgapiadm(['share', UUID, 'bob', '--json', '-u', server.url]);
  t.match(JSON.parse(stdout), { uuid: UUID });
});

const CHAIN = [
  `UUID                                  NAME      VERSION  STATE   OWNER     SIZE`,
  `${UUID}  my-image  1.0.0    active  alice  5.0 MiB`,
  `${BASE}  base      18.4.0   active  admin  5.0 MiB`,
  '',
].join('\n');
const [CHILD, PARENT] = [
  image({ origin: BASE }),
  image({ uuid: BASE, name: 'base', version: '18.4.0', owner_login: 'admin' }),
];

for (const [order, answer] of [
  ['base last', [CHILD, PARENT]],
  ['base first', [PARENT, CHILD]],
] as const) {
  test(`the ancestry goes from the image down to its base, when it comes ${order}`, async (t) => {
    const server = await playBack(t, { [`GET /images/${UUID}/ancestry`]: json(answer) });
    t.strictSame(await runImgapiadm(['ancestry', UUID, '-u', server.url]), { code: 0, stdout: CHAIN, stderr: '' });
  });
}

test('an origin that is not here stands in the ancestry by its UUID', async (t) => {
  const server = await playBack(t, { [`GET /images/${UUID}/ancestry`]: json([CHILD]) });
  const { stdout } = await runImgapiadm(['ancestry', UUID, '-H', '-o', 'uuid,name', '-u', server.url]);
  t.equal(stdout, `${UUID}  my-image\n${BASE}  -\n`);
});
