import { test } from 'tap';
import type { Image } from '#lib/api/schemas/image.ts';
import { CapturedSink, jsonLines, runImgapiadm } from '../../capture.ts';
import { administered } from '../../data-folder.ts';
import { ALICE, BASE, BOB, image, UUID } from '../../fixtures.ts';
import { json, playBack } from '../../playback.ts';

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
      'SHORTID   NAME      VERSION  FLAGS  OS       OWNER  PUBDATE',
      '0965c1f4  my-image  1.0.0    +I     smartos  alice  2017-10-17',
      '1f0e2d3c  base      18.4.0   PX     smartos  admin  2017-10-17',
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

test('the state is shown where there can be several', async (t) => {
  const server = await playBack(t, { 'GET /images': json(IMAGES) });
  const { stdout } = await runImgapiadm(['list', '--all', '-H', '-u', server.url]);
  t.match(stdout, /^0965c1f4 {2}my-image {2}1\.0\.0 {3}\+I {2}smartos {2}active /);
});

test('a list fits a terminal of 80 columns, also without a directory of logins', async (t) => {
  const [first, { owner_login: _, ...second }] = IMAGES as [Image, Image];
  const server = await playBack(t, { 'GET /images': json([{ ...first, name: 'long-'.repeat(20) }, second]) });
  const stdout = new CapturedSink(true, 80);
  await runImgapiadm(['list', '--all', '-u', server.url], { stdout });
  const lines = stdout.text.trimEnd().split('\n');
  t.equal(lines.length, 3);
  t.ok(lines.every((line) => line.length <= 80));
  t.match(lines[1], /^0965c1f4 {2}long-[long-]*… {2}1\.0\.0 /);
  t.match(lines[2], new RegExp(` ${BOB.slice(0, 8)} `));
  const { stdout: piped } = await runImgapiadm(['list', '-o', 'name', '-u', server.url]);
  t.match(piped, 'long-'.repeat(20), 'what is no terminal gets all of it');
});

test('JSON is one document with all that the server said', async (t) => {
  const server = await playBack(t, { 'GET /images': json(IMAGES) });
  const { stdout } = await runImgapiadm(['list', '--json', '-u', server.url]);
  t.strictSame(jsonLines(stdout), JSON.parse(JSON.stringify(IMAGES)));
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
  const server = await playBack(t, {
    [`GET /images/${UUID}`]: json(image({ acl: ['bob'] })),
    [`POST /images/${UUID}/acl`]: json(image()),
  });
  t.strictSame(await runImgapiadm(['share', UUID, 'bob', BOB, '-u', server.url]), {
    code: 0,
    stdout: `Image ${UUID} (my-image@1.0.0) is shared with "bob", "${BOB}".\n`,
    stderr: '',
  });
  t.strictSame(await runImgapiadm(['unshare', UUID, 'bob', '-u', server.url]), {
    code: 0,
    stdout: `Image ${UUID} (my-image@1.0.0) is no longer shared with "bob".\n`,
    stderr: '',
  });
  t.match(
    server.asked.filter(({ method }) => method === 'POST'),
    [
      { method: 'POST', path: `/images/${UUID}/acl`, body: JSON.stringify(['bob', BOB]) },
      { method: 'POST', path: `/images/${UUID}/acl?action=remove`, body: '["bob"]' },
    ],
  );
  const { stdout } = await runImgapiadm(['share', UUID, 'bob', '--json', '-u', server.url]);
  t.match(JSON.parse(stdout), { uuid: UUID });
});

test('unshare says with whom an image was not shared, and changes nothing then', async (t) => {
  const server = await playBack(t, { [`GET /images/${UUID}`]: json(image({ acl: ['bob', BOB] })) });
  t.strictSame(await runImgapiadm(['unshare', UUID, 'bob', 'bib', '-u', server.url]), {
    code: 1,
    stdout: '',
    stderr: [
      `imgapiadm: error (NotShared): image ${UUID} is not shared with "bib", and nothing was changed; it is shared with "bob", "${BOB}"`,
      '    name the account as it was shared: its login and its UUID are two shares',
      '',
    ].join('\n'),
  });
  t.notOk(server.asked.some(({ method }) => method === 'POST'));
});

test('unshare says what still opens the image', async (t) => {
  const server = await playBack(t, {
    [`GET /images/${UUID}`]: json(image({ acl: ['bob', BOB] })),
    [`POST /images/${UUID}/acl`]: json(image({ acl: [BOB], public: true })),
  });
  const { stdout } = await runImgapiadm(['unshare', UUID, 'bob', '-u', server.url]);
  t.equal(
    stdout,
    `Image ${UUID} (my-image@1.0.0) is no longer shared with "bob"; it is still shared with "${BOB}"; it is public, so everybody can see it.\n`,
  );
});

test('what can be no account is found before the image is shared with anybody', async (t) => {
  const server = await playBack(t, {});
  t.match(await runImgapiadm(['share', UUID, 'bob', 'b!b', '-u', server.url]), {
    code: 2,
    stderr: /ACCOUNT is "b!b"; it must be a UUID, or a login/,
  });
  t.equal(server.asked.length, 0);
});

const OTHERS = image({ uuid: BASE, owner: BOB, owner_login: 'bob', published_at: '2020-01-01T00:00:00.000Z' });
const OLDER = image({
  uuid: '22222222-0000-4000-8000-000000000000',
  version: '0.9.0',
  published_at: '2016-01-01T00:00:00.000Z',
});

const ADVISED_AGAINST = {
  ...image({ uuid: '33333333-0000-4000-8000-000000000000', published_at: '2020-01-01T00:00:00.000Z' }),
  ...{ deprecated_at: '2021-01-01T00:00:00.000Z' },
};

const NAMES: readonly [what: string, args: readonly string[], images: readonly Image[], uuid: string][] = [
  ['a UUID in capitals', [UUID.toUpperCase()], [], UUID],
  ['the first digits of the UUID', ['0965c1f4'], [image(), OTHERS], UUID],
  ['a name: the one published last', ['my-image'], [image(), OLDER], UUID],
  ['a name and version', ['my-image@0.9.0'], [image(), OLDER], OLDER.uuid],
  ['the newest that is not deprecated', ['my-image@latest'], [image(), OLDER, ADVISED_AGAINST], UUID],
  ["an account's image before one that is shared with it", ['my-image', '-a', ALICE], [OTHERS, image()], UUID],
];

for (const [what, args, images, uuid] of NAMES) {
  test(`an image is named by ${what}`, async (t) => {
    const server = await playBack(t, { 'GET /images': json(images), [`GET /images/${uuid}`]: json(image({ uuid })) });
    const { code, stdout, stderr } = await runImgapiadm(['get', ...args, '-u', server.url]);
    t.strictSame([code, stderr], [0, '']);
    t.equal(JSON.parse(stdout).uuid, uuid);
  });
}

const BOBS = image({ uuid: '44444444-0000-4000-8000-000000000000', name: 'my-other', owner: BOB, public: false });

for (const [what, args, meant] of [
  ['a name', ['my-imagf'], '; did you mean "my-image"?'],
  ['a version', ['my-image@7'], '; the versions of my-image are 1.0.0, 0.9.0'],
  ['the newest of a name', ['my-imagf@latest'], '; did you mean "my-image@latest"?'],
  ['a name and version', ['my-imagf@0.9.0'], '; did you mean "my-image@0.9.0"?'],
  ['the first digits of a UUID', ['0965c14f'], '; did you mean 0965c1f4 (my-image@1.0.0)?'],
  ['a name of whoever may see the image', ['my-othr'], '; did you mean "my-other"?'],
  ["a name of another's image", ['my-othr', '-a', ALICE], ''],
  ['something else', ['unlike'], ''],
  ['a short name', ['bsae'], '; did you mean "base"?'],
] as const) {
  test(`what may have been meant by ${what} that there is not is looked for in short lists`, async (t) => {
    const server = await playBack(t, {
      'GET /images': json([image(), OLDER, BOBS, image({ uuid: BASE, name: 'base' })]),
    });
    const { code, stderr } = await runImgapiadm(['get', ...args, '-u', server.url]);
    t.equal(code, 4);
    t.match(stderr, `imgapiadm: error (ResourceNotFound): there is no image "${args[0]}" here${meant}\n`);
    const [, ...more] = server.asked.map(({ path }) => new URL(path, server.url).searchParams);
    t.ok(more.length <= 3);
    const short = { limit: '100', sort: 'published_at.desc' };
    for (const query of more) t.match(Object.fromEntries(query), short);
  });
}

test('a server that cannot say what may have been meant has said that there is no such image', async (t) => {
  const server = await playBack(t, { 'GET /images': [json([]), json({ code: 'InternalError', message: 'no' }, 500)] });
  const { code, stderr } = await runImgapiadm(['get', 'my-image', '-u', server.url]);
  t.strictSame([code, stderr], [4, 'imgapiadm: error (ResourceNotFound): there is no image "my-image" here\n']);
});

test('a name that images of several owners have names none of them', async (t) => {
  const server = await playBack(t, { 'GET /images': json([image(), OTHERS]) });
  t.strictSame(await runImgapiadm(['get', 'my-image', '-u', server.url]), {
    code: 1,
    stdout: '',
    stderr: [
      'imgapiadm: error (Ambiguous): several owners have an image called "my-image"; name it by its UUID',
      `    ${UUID} my-image@1.0.0 of alice`,
      `    ${BASE} my-image@1.0.0 of bob`,
      '',
    ].join('\n'),
  });
});

test('a login is looked up on the machine of the server', async (t) => {
  const script = {
    'GET /admin/accounts/alice': json({ uuid: ALICE, login: 'alice' }),
    'GET /admin/accounts/bob': json({ uuid: BOB, login: 'bob' }),
    'GET /admin/accounts/bib': json({ code: 'ResourceNotFound', message: 'account "bib" not found' }, 404),
    'GET /images': json([image()]),
    'POST /images': json(image()),
    [`POST /images/${UUID}`]: json(image()),
  };
  const { server, run } = await administered(t, script);
  t.match(await run('list', '-a', 'alice', 'owner=bob'), { code: 0 });
  t.match(server.asked.at(-1)?.path, new RegExp(`owner=${BOB}.*account=${ALICE}|account=${ALICE}.*owner=${BOB}`));
  for (const words of [
    ['create', 'name=a'],
    ['update', UUID],
  ]) {
    t.match(await run(...words, 'owner=bob'), { code: 0 });
    t.match(JSON.parse(server.asked.at(-1)?.body ?? ''), { owner: BOB }, words.join(' '));
    t.match(await run(...words, 'owner=bib'), { code: 4, stderr: /account "bib" not found/ });
    t.match(await run(...words, `owner=${ALICE}`), { code: 0 });
    t.match(JSON.parse(server.asked.at(-1)?.body ?? ''), { owner: ALICE }, words.join(' '));
  }
  t.match(await run('list', '-a', 'bib'), { code: 4, stderr: /account "bib" not found/ });
});

const CHAIN = [
  `SHORTID   NAME      VERSION  STATE   OWNER     SIZE`,
  `${UUID.slice(0, 8)}  my-image  1.0.0    active  alice  5.0 MiB`,
  `${BASE.slice(0, 8)}  base      18.4.0   active  admin  5.0 MiB`,
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

test('the ancestry as JSON comes in the order that is asked for', async (t) => {
  const server = await playBack(t, { [`GET /images/${UUID}/ancestry`]: json([CHILD, PARENT]) });
  const names = async (...words: readonly string[]) => {
    const { stdout } = await runImgapiadm(['ancestry', UUID, '-j', ...words, '-u', server.url]);
    return jsonLines(stdout).map((line) => (line as { name: string }).name);
  };
  t.same(
    [await names(), await names('-s', 'name')],
    [
      ['my-image', 'base'],
      ['base', 'my-image'],
    ],
  );
});

test('the ancestry of images of accounts without login fits a terminal', async (t) => {
  const nameless = image({
    name: 'a-rather-long-name-of-an-image',
    version: '1.0.0',
    owner: ALICE,
    owner_login: undefined,
  });
  const server = await playBack(t, { [`GET /images/${UUID}/ancestry`]: json([nameless]) });
  const stdout = new CapturedSink(true, 80);
  await runImgapiadm(['ancestry', UUID, '-u', server.url], { stdout });
  for (const line of stdout.text.trimEnd().split('\n')) t.ok(line.length <= 80, line);
  t.match(stdout.text, ALICE.slice(0, 8));
});

test('an origin that is not here stands in the ancestry by its UUID', async (t) => {
  const server = await playBack(t, { [`GET /images/${UUID}/ancestry`]: json([CHILD]) });
  const { stdout } = await runImgapiadm(['ancestry', UUID, '-H', '-o', 'uuid,name', '-u', server.url]);
  t.equal(stdout, `${UUID}  my-image\n${BASE}  -\n`);
});

test('unshare of an entry that was left ends the mark, and what is left opens nothing', async (t) => {
  const server = await playBack(t, {
    [`GET /images/${UUID}`]: json(image({ acl: ['bob', 'bib'], left_by: ['bob', BOB] })),
    [`POST /images/${UUID}/acl`]: json(image({ acl: ['bob'], left_by: ['bob'] })),
  });
  t.match(await runImgapiadm(['unshare', UUID, BOB, 'bib', '-u', server.url]), {
    code: 0,
    stdout: `Image ${UUID} (my-image@1.0.0) is no longer shared with "${BOB}" or "bib".\n`,
  });
  t.match(
    (await runImgapiadm(['unshare', UUID, 'carol', '-u', server.url])).stderr,
    /shared with "bob \(left\)", "bib"/,
  );
});
