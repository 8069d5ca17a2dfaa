import { test } from 'tap';
import type { CloudapiImage } from '#lib/api/cloudapi/schemas/image.ts';
import { ALICE, BASE, BOB, UUID } from '../fixtures.ts';
import { json } from '../playback.ts';
import { cloudImage, listing, played } from './home.ts';

const ADMIN = '930896af-bf8c-48d4-885c-6573a94b1853';
const MALLORY = 'deadbeef-0000-4000-8000-000000000666';
const id = (n: number): string => `${String(n).repeat(8)}-0000-4000-8000-000000000000`;

const PUBLIC = cloudImage({
  uuid: BASE,
  name: 'minimal-64-lts',
  version: '18.4.0',
  owner: ADMIN,
  owner_login: 'admin',
  public: true,
  published_at: '2018-01-01T00:00:00.000Z',
});
/** Published last, with the name and version of the public one. */
const LOOK_ALIKE = cloudImage({
  uuid: id(6),
  name: 'minimal-64-lts',
  version: '18.4.0',
  owner: MALLORY,
  owner_login: 'mallory',
  acl: [ALICE],
  published_at: '2024-01-01T00:00:00.000Z',
});
const OLD = cloudImage({ uuid: id(1), version: '1.0.0', published_at: '2017-01-01T00:00:00.000Z' });
const NEW = cloudImage({ uuid: UUID, version: '2.0.0', published_at: '2017-10-17T00:00:00.000Z' });
const SAME = cloudImage({ uuid: id(2), version: '1.0.0', published_at: '2016-01-01T00:00:00.000Z' });
const OFF = cloudImage({ uuid: id(3), name: 'off', state: 'disabled' });
const BOBS = cloudImage({
  uuid: id(7),
  name: 'tools',
  owner: BOB,
  owner_login: 'bob',
  acl: [ALICE],
  published_at: '2020-01-01T00:00:00.000Z',
});
const DEPRECATED = { deprecated_at: '2024-01-01T00:00:00.000Z' };
const TO_COME = { deprecated_at: '9999-01-01T00:00:00.000Z' };
const LINES: readonly CloudapiImage[] = [
  { ...cloudImage({ uuid: id(4), name: 'line', version: '1', published_at: '2017-01-01T00:00:00.000Z' }), ...TO_COME },
  cloudImage({ uuid: id(5), name: 'line', version: '0', published_at: '2017-01-01T00:00:00.000Z' }),
  {
    ...cloudImage({ uuid: id(9), name: 'line', version: '2', published_at: '2018-01-01T00:00:00.000Z' }),
    ...DEPRECATED,
  },
];
const [LINE_1, LINE_0, LINE_2] = LINES as [CloudapiImage, CloudapiImage, CloudapiImage];
const LINE_OFF = cloudImage({ uuid: id(0), name: 'line', state: 'disabled', published_at: '2019-01-01T00:00:00.000Z' });
const MINE_OFF = cloudImage({
  uuid: '12121212-0000-4000-8000-000000000000',
  name: 'mine',
  version: '2',
  state: 'disabled',
});
const GONE = { ...cloudImage({ uuid: BASE.replace('1f', '2f'), name: 'gone' }), ...DEPRECATED };
const MALLORYS_LINE = { ...LOOK_ALIKE, id: 'deadbeef-0000-4000-8000-000000000001', name: 'line' };
const MALLORYS_TOOLS = { ...LOOK_ALIKE, id: id(8), name: 'tools', version: '1.0.0' };
const ALL: readonly CloudapiImage[] = [
  PUBLIC,
  LOOK_ALIKE,
  OLD,
  NEW,
  SAME,
  OFF,
  BOBS,
  MALLORYS_TOOLS,
  ...LINES,
  LINE_OFF,
  MINE_OFF,
  cloudImage({ uuid: '13131313-0000-4000-8000-000000000000', name: 'mine', version: '1' }),
  GONE,
  MALLORYS_LINE,
];

const SCRIPT = {
  'GET /images': listing(...ALL),
  ...Object.fromEntries(ALL.map((image) => [`GET /images/${image.id}`, json(image)])),
};

const FOUND: readonly [what: string, args: readonly string[], image: CloudapiImage][] = [
  ['a UUID', [UUID], NEW],
  ['a UUID in capitals', [UUID.toUpperCase()], NEW],
  ['the UUID of a shared image', [LOOK_ALIKE.id], LOOK_ALIKE],
  ['a name: the one published last', ['my-image'], NEW],
  ['a name and version', ['my-image@1.0.0'], OLD],
  ['the newest that is usable and not deprecated, of two the one whose UUID is last', ['line@latest'], LINE_0],
  ['the same whatever states a name finds', ['-a', 'line@latest'], LINE_0],
  ['a deprecated one by its version', ['line@2'], LINE_2],
  ['one that is going to be deprecated', ['line@1'], LINE_1],
  ["somebody's newest, if it is said so", ['-S', 'mallory', 'line@latest'], MALLORYS_LINE],
  ['the beginning of a UUID', ['0965c1f4'], NEW],
  ['the name of a public image, never a look-alike that was published later', ['minimal-64-lts'], PUBLIC],
  ['name and version of a public image, never its look-alike', ['minimal-64-lts@18.4.0'], PUBLIC],
  ['a name in any state', ['-a', 'off'], OFF],
  ['a name and the login of whoever shares it', ['-S', 'bob', 'tools'], BOBS],
  ['a name and the UUID of whoever shares it', ['tools', '-S', BOB], BOBS],
  ['the look-alike, if it is said so', ['-S', 'mallory', 'minimal-64-lts'], LOOK_ALIKE],
  ['the beginning of a UUID and an owner', ['-S', 'bob', '77777777'], BOBS],
  ['a UUID and its owner', ['-S', 'bob', BOBS.id], BOBS],
];

for (const [what, args, image] of FOUND) {
  test(`get finds ${what}`, async (t) => {
    const { run } = await played(t, SCRIPT);
    const { code, stdout, stderr } = await run(['get', ...args]);
    t.strictSame([code, stderr], [0, '']);
    t.strictSame(JSON.parse(stdout), image);
  });
}

const NOT_FOUND: readonly [args: readonly string[], message: string][] = [
  [['nosuch'], 'there is no image "nosuch" of your own or public'],
  [['gone@latest'], 'there is no image "gone@latest" of your own or public\n    gone@1.0.0 is deprecated'],
  [['my-image@3'], 'there is no image "my-image@3" of your own or public; the versions of my-image are 2.0.0, 1.0.0'],
  [
    ['minimal-64-lts@19'],
    'there is no image "minimal-64-lts@19" of your own or public; the only version of minimal-64-lts is 18.4.0',
  ],
  [['my-imgae'], 'there is no image "my-imgae" of your own or public; did you mean "my-image"?'],
  [['my-imgae@1.0.0'], 'there is no image "my-imgae@1.0.0" of your own or public; did you mean "my-image@1.0.0"?'],
  [['my-imgae@9'], 'there is no image "my-imgae@9" of your own or public; did you mean "my-image"?'],
  [['mniimal-64-lts'], 'there is no image "mniimal-64-lts" of your own or public; did you mean "minimal-64-lts"?'],
  [['miniaml-64-lts'], 'there is no image "miniaml-64-lts" of your own or public; did you mean "minimal-64-lts"?'],
  [['miinmal-64-lts'], 'there is no image "miinmal-64-lts" of your own or public; did you mean "minimal-64-lts"?'],
  [['Minimal-64-lts'], 'there is no image "Minimal-64-lts" of your own or public; did you mean "minimal-64-lts"?'],
  [['lines@latest'], 'there is no image "lines@latest" of your own or public; did you mean "line@latest"?'],
  [['tolls'], 'there is no image "tolls" of your own or public'],
  [['-S', 'bob', 'toosl'], 'there is no image "toosl" of bob; did you mean "tools"?'],
  [['0965c1f5'], 'there is no image "0965c1f5" of your own or public; did you mean 0965c1f4 (my-image@2.0.0)?'],
  [['0956c1f4'], 'there is no image "0956c1f4" of your own or public; did you mean 0965c1f4 (my-image@2.0.0)?'],
  [['0965c155'], 'there is no image "0965c155" of your own or public'],
  [
    ['off'],
    `there is no image "off" of your own or public\n    your off@1.0.0 is disabled: name it by its UUID, ${OFF.id}; get --all finds it by name`,
  ],
  [
    ['mine@2'],
    `there is no image "mine@2" of your own or public\n    your mine@2 is disabled: name it by its UUID, ${MINE_OFF.id}; get --all finds it by name`,
  ],
  [['66666666'], 'there is no image "66666666" of your own or public'],
  [['~my'], 'there is no image "~my" of your own or public'],
  [['-S', 'bob', 'my-image'], 'there is no image "my-image" of bob'],
  [['-S', 'alice', 'my-image'], 'there is no image "my-image" of alice'],
  [['-S', 'admin', 'minimal-64-lts'], 'there is no image "minimal-64-lts" of admin'],
  [['-S', 'bob', LOOK_ALIKE.id], `there is no image "${LOOK_ALIKE.id}" of bob`],
];

for (const [args, message] of NOT_FOUND) {
  test(`get ${args.join(' ')}: ${message}`, async (t) => {
    const { run } = await played(t, SCRIPT);
    const { code, stdout, stderr } = await run(['get', ...args]);
    t.strictSame([code, stdout], [4, '']);
    t.match(stderr, `error (ResourceNotFound): ${message}\n`);
  });
}

test('whose shared images have a name that finds nothing is said, and how to mean one of them', async (t) => {
  const { run } = await played(t, SCRIPT);
  const { code, stderr } = await run(['get', 'tools']);
  t.equal(code, 4);
  t.match(stderr, `    bob shares ${BOBS.id}, which may be what you mean: add -S bob, or name it by its UUID\n`);
  t.match(stderr, `    mallory shares ${MALLORYS_TOOLS.id}, which may be what you mean`);
});

test('the short id of a shared image, as ls shows it, is answered with how to mean it', async (t) => {
  const { run } = await played(t, SCRIPT);
  const { code, stderr } = await run(['get', '77777777']);
  t.equal(code, 4);
  t.match(stderr, `    bob shares ${BOBS.id}, which may be what you mean: add -S bob, or name it by its UUID\n`);
  t.equal(JSON.parse((await run(['get', '-S', 'bob', '77777777'])).stdout).id, BOBS.id);
});

test('a server that does not know the filters gives no look-alike a chance', async (t) => {
  const { run } = await played(t, { 'GET /images': json(ALL) });
  t.equal(JSON.parse((await run(['get', 'minimal-64-lts'])).stdout).id, PUBLIC.id);
  t.equal(JSON.parse((await run(['get', '-S', 'bob', 'tools'])).stdout).id, BOBS.id);
  t.match(await run(['get', '-S', 'alice', 'my-image']), { code: 4 });
  t.match(await run(['share', 'minimal-64-lts', 'carol']), {
    code: 4,
    stderr: /no image "minimal-64-lts" of your own\n/,
  });
});

test('the beginning of several UUIDs names none of them', async (t) => {
  const other = cloudImage({ uuid: `${UUID.slice(0, 9)}1111-4111-8111-111111111111`, name: 'other' });
  const { run } = await played(t, { 'GET /images': listing(NEW, other) });
  t.strictSame(await run(['get', '0965c1f4']), {
    code: 1,
    stdout: '',
    stderr: [
      'triton-image: error (Ambiguous): "0965c1f4" begins the UUIDs of 2 images',
      `    ${UUID} my-image@2.0.0`,
      `    ${other.id} other@1.0.0`,
      '',
    ].join('\n'),
  });
});

test('a name goes before the beginning of a UUID', async (t) => {
  const named = cloudImage({ uuid: id(5), name: '0965c1f4' });
  const { run } = await played(t, { 'GET /images': listing(NEW, named) });
  t.equal(JSON.parse((await run(['get', '0965c1f4'])).stdout).id, named.id);
});
