/** Requests that clients of today's IMGAPI send and that were once answered otherwise here. */
import { ALICE, BOB } from '../../../helpers/accounts.ts';
import { FILE } from '../fixtures/records.ts';
import type { Row } from './row.ts';

/** Of the four bytes "data". */
const SHA1 = 'a17c9aaa61e80a1bf71d0d850af4e5baa9800bbd';
const UPLOAD = 'PUT /images/$new/file?compression=none';

const LISTS: readonly Row[] = [
  { request: 'GET /images?limit=', ours: '200 [pub shared priv]' },
  { request: 'GET /images?limit=0x2', ours: '200 [pub shared]' },
  { request: 'GET /images?limit=1.5', ours: '200 [pub]' },
  { request: 'GET /images?limit=0.5', ours: '200 []' },
  { request: 'GET /images?limit=-1', ours: '200 []' },
  { request: 'GET /images?limit=%202%20', ours: '200 [pub shared]' },
  { request: 'GET /images?limit=1e9', ours: '200 [pub shared priv]' },
  { request: 'GET /images?limit=Infinity', ours: '200 [pub shared priv]' },
  { request: 'GET /images?owner=foo', ours: '200 []' },
  { request: `GET /images?owner=foo&account=${ALICE}`, ours: '200 []' },
  { request: 'GET /images?owner=', ours: '200 []' },
  { request: 'GET /images?name=', ours: '200 []' },
  { request: 'GET /images?sort=', ours: '200 [pub shared priv]' },
  { request: 'GET /images?state=', ours: '200 [pub shared priv]' },
  { request: `GET /images?state=&account=${ALICE}`, ours: '200 [pub shared priv]' },
  { request: 'GET /images?marker=', ours: '200 [pub shared priv]' },
  { request: 'GET /images?state=copying', ours: '422 InvalidParameter state/Invalid' },
  { request: `GET /images?state=copying&account=${BOB}`, ours: '422 InvalidParameter state/Invalid' },
  { request: 'GET //images', ours: '200 [pub shared priv]' },
].map((row): Row => ({ ...row, on: 'lists' }));

const IMAGES: readonly Row[] = [
  { request: 'POST /images', manifest: { name: 12 }, ours: '200', shows: { name: '12' } },
  { request: 'POST /images', manifest: { version: 1.5 }, ours: '200', shows: { version: '1.5' } },
  { request: 'POST /images', manifest: { description: 5 }, ours: '200', shows: { description: '5' } },
  { request: 'POST /images', manifest: { acl: BOB }, ours: '200', shows: { acl: [BOB] } },
  { request: 'POST /images', manifest: { billing_tags: 'xl' }, ours: '200', shows: { billing_tags: ['xl'] } },
  { request: 'POST /images', manifest: { billing_tags: '' }, ours: '200', shows: { billing_tags: undefined } },
  { request: 'POST /images', manifest: { requirements: {} }, ours: '200', shows: { requirements: {} } },
  { request: 'POST /images', manifest: { tags: {}, users: [] }, ours: '200', shows: { tags: {}, users: [] } },
  { request: 'POST /images?action=', manifest: {}, ours: '200', shows: { state: 'unactivated' } },
  {
    request: 'POST /images',
    manifest: { requirements: { brand: 'kvm', bootrom: 'uefi' } },
    ours: '422 ValidationFailed requirements.bootrom/Invalid',
  },
  {
    request: 'POST /images',
    manifest: { requirements: { bootrom: 'uefi' } },
    ours: '422 ValidationFailed requirements.bootrom/MissingParameter',
  },
  { request: 'POST /images', manifest: { image_size: 10 }, ours: '422 InvalidParameter image_size/Invalid' },
  {
    request: 'POST /images',
    manifest: { image_size: 10, nope: 1, name: '!' },
    ours: '422 InvalidParameter image_size/Invalid,nope/Invalid',
  },
  { request: 'POST /images/$active?action=update', json: { name: 7 }, ours: '200', shows: { name: '7' } },
  { request: 'POST /images/$active?action=update', json: { acl: BOB }, ours: '200', shows: { acl: [BOB] } },
  {
    request: 'POST /images/$active?action=update',
    json: { billing_tags: 'xl' },
    ours: '200',
    shows: { billing_tags: ['xl'] },
  },
  {
    request: 'POST /images/$ready?action=update',
    json: { uuid: '$free' },
    ours: '200',
    shows: { state: 'unactivated', name: 'ready', files: [{ sha1: FILE.sha1 }] },
  },
  { request: 'POST /images/$active?action=', json: {}, ours: '422 InvalidParameter action/MissingParameter' },
  { request: 'POST /images/$active/acl?action=', json: [BOB], ours: '200', shows: { acl: [BOB] } },
  { request: 'POST /images/$shared/clone', ours: '422 InvalidParameter account/Invalid' },
  { request: 'POST /images/$active?action=export&manta_path=', ours: '422 InvalidParameter manta_path/Invalid' },
  { request: 'POST /images/$active?action=export', ours: '422 ValidationFailed manta_path/MissingParameter' },
];

const DOCKER = 'POST /images?action=import-docker-image';

const NOT_MADE_HERE: readonly Row[] = [
  { request: DOCKER, ours: '422 ValidationFailed repo/MissingParameter,tag/MissingParameter' },
  { request: `${DOCKER}&repo=BAD!!&tag=latest`, ours: '422 ValidationFailed repo/Invalid' },
  { request: `${DOCKER}&repo=busybox`, ours: '422 ValidationFailed tag/MissingParameter' },
  { request: `${DOCKER}&repo=busybox&tag=latest&digest=x`, ours: '422 ValidationFailed digest/Invalid' },
  { request: 'POST /images?action=import-lxd-image', ours: '422 ValidationFailed alias/MissingParameter' },
  { request: 'POST /images/$active/push?repoAndTag=a:b', ours: '422 ValidationFailed type/Invalid' },
  { on: 'public with signatures', request: 'POST /images/$disabled/push', ours: '401 UnauthorizedError' },
];

const CHANNELS: readonly Row[] = [
  ...['*', '~2', '2.0.0', '>=1'].map(
    (version): Row => ({
      on: 'channels',
      request: 'GET /images/$active?channel=*',
      headers: { 'accept-version': version },
      ours: '200',
      shows: { channels: ['dev'] },
    }),
  ),
  ...['~1', '1.0.0'].map(
    (version): Row => ({
      on: 'channels',
      request: 'GET /images/$active?channel=*',
      headers: { 'accept-version': version },
      ours: '200',
      shows: { channels: undefined },
    }),
  ),
];

const IMPORTED = { v: 2, uuid: '$free' };

const IMPORTS: readonly Row[] = [
  {
    request: 'POST /images/$free?action=import',
    manifest: { ...IMPORTED, published_at: 5 },
    ours: '422 InvalidParameter published_at/Invalid',
  },
  {
    request: 'POST /images/$free?action=import-from-datacenter&datacenter=x',
    ours: '422 ValidationFailed account/Invalid',
  },
  {
    request: 'POST /images/$free?action=import',
    manifest: { ...IMPORTED, owner_login: 'alice', shared_as: ['alice'], copied_from: { datacenter: 'x', at: 'y' } },
    ours: '200',
    shows: { owner: ALICE },
  },
  ...['imgadm/3.7.3 (node/0.10.48; OpenSolaris)', 'imgadm/2.6.1'].map((agent) => ({
    request: 'POST /images/$free?action=import',
    headers: { 'user-agent': agent },
    manifest: { ...IMPORTED, ...LX_OF_AN_OLD_IMGADM(), origin: '$lx' },
    ours: '200',
    shows: { requirements: { brand: 'lx', min_platform: { '7.0': '20150101T000000Z' } } },
  })),
  {
    request: 'POST /images/$free?action=import',
    headers: { 'user-agent': 'imgadm/3.7.3' },
    manifest: { ...IMPORTED, ...LX_OF_AN_OLD_IMGADM() },
    ours: '200',
    shows: { requirements: { brand: 'lx', min_platform: undefined } },
  },
  ...['imgadm/3.7.4', 'imgadm/3.10.0', 'curl/8.0'].map((agent) => ({
    request: 'POST /images/$free?action=import',
    headers: { 'user-agent': agent },
    manifest: { ...IMPORTED, ...LX_OF_AN_OLD_IMGADM(), origin: '$lx' },
    ours: '200',
    shows: { requirements: { min_platform: { '7.0': '20260101T000000Z' } } },
  })),
];

function LX_OF_AN_OLD_IMGADM() {
  return { type: 'lx-dataset', requirements: { brand: 'lx', min_platform: { '7.0': '20260101T000000Z' } } };
}

const FILES: readonly Row[] = [
  { request: `${UPLOAD}&sha1=`, body: 'data', ours: '200', shows: { files: [{ sha1: SHA1 }] } },
  { request: `${UPLOAD}&storage=`, body: 'data', ours: '200' },
  { request: `${UPLOAD}&storage=manta`, body: 'data', ours: '200' },
  { request: `${UPLOAD}&storage=foo`, body: 'data', ours: '422 InvalidParameter storage/Invalid' },
  { request: 'PUT /images/$new/file?compression=', body: 'data', ours: '422 InvalidParameter compression/Missing' },
  { request: 'GET /images/$active/file?index=1foo', ours: '404 ResourceNotFound' },
  { request: 'GET /images/$active/file?index=foo', ours: '200' },
  {
    request: 'GET /images/$active/file',
    headers: { 'if-none-match': FILE.sha1 },
    ours: '304',
    sends: { 'content-type': undefined, etag: FILE.sha1 },
  },
  {
    request: 'PUT /images/$active/icon?storage=foo',
    headers: { 'content-type': 'image/png' },
    body: 'icon',
    ours: '422 InvalidParameter storage/Invalid',
  },
];

const METHODS: readonly Row[] = [
  'PUT /images/$active/acl',
  'DELETE /images/$active/file',
  'POST /images/$active/file?compression=none',
  'GET /images/$active/clone',
  'GET /images/$active/push',
  'OPTIONS /images',
  'PUT /images',
].map((request) => ({ request, ours: '405 MethodNotAllowedError', sends: { allow: /[A-Z]/ } }));

const NO_TYPE = { 'content-type': undefined };

const SERVICE: readonly Row[] = [
  { request: 'GET //ping', ours: '200', shows: { ping: 'pong' } },
  { request: 'GET /', ours: '301', sends: { location: '/docs/', ...NO_TYPE } },
  { request: 'GET /docs', ours: '301', sends: { location: '/docs/', ...NO_TYPE } },
  { request: 'GET /datasets', ours: '301', sends: { location: '/images', ...NO_TYPE } },
  { request: `GET /datasets/${ALICE}`, ours: '301', sends: { location: `/images/${ALICE}`, ...NO_TYPE } },
  { request: 'GET /datasets/a:b', ours: '301', sends: { location: '/images?name=a&version=b', ...NO_TYPE } },
  { request: 'GET /datasets/a:b:c', ours: '301', sends: { location: '/images?name=c', ...NO_TYPE } },
  { request: 'GET /datasets/a:b:c:d', ours: '301', sends: { location: '/images?name=c&version=d', ...NO_TYPE } },
  {
    request: 'GET /favicon.ico',
    ours: '200',
    sends: { 'content-type': 'image/x-icon', 'cache-control': 'max-age=86400' },
  },
  { request: 'GET /state', ours: '200', shows: { log: {}, cache: {}, db: {}, storageTypes: ['local'] } },
  { request: 'POST /state?action=foo', ours: '409 InvalidArgument' },
  { request: 'POST /state', ours: '409 MissingParameter' },
  { request: 'POST /authkeys/reload', ours: '200' },
  { on: 'public with signatures', request: 'POST /authkeys/reload', signed: 'well', ours: '200', shows: {} },
  { on: 'public with signatures', request: 'POST /authkeys/reload', ours: '401 UnauthorizedError' },
];

const BADLY_SIGNED: readonly Row[] = (['public with signatures', 'private with signatures'] as const).flatMap((on) => [
  ...['file', 'jobs'].map(
    (what): Row => ({ on, request: `GET /images/$active/${what}`, signed: 'badly', ours: '200' }),
  ),
  { on, request: 'GET /images/$withIcon/icon', signed: 'badly', ours: '200' },
  { on, request: 'GET /images/$active/icon', signed: 'badly', ours: '404 ResourceNotFound' },
  ...['/images', '/images/$active', '/ping', '/state'].map(
    (path): Row => ({ on, request: `GET ${path}`, signed: 'badly', ours: '401 UnauthorizedError' }),
  ),
  ...['/docs', '/datasets', '/favicon.ico'].map(
    (path): Row => ({ on, request: `GET ${path}`, signed: 'badly', ours: path === '/favicon.ico' ? '200' : '301' }),
  ),
]);

/** A disabled image that an active one builds on, with another disabled one in between, is there for whoever installs it. */
const DISABLED_ORIGINS: readonly Row[] = (['public with signatures', 'private with signatures'] as const).flatMap(
  (on) =>
    ['$base', '$middle'].flatMap((image): Row[] => [
      {
        on,
        with: ['base', 'middle', 'child'],
        request: `GET /images/${image}`,
        ours: '200',
        shows: { state: 'disabled' },
      },
      { on, with: ['base', 'middle', 'child'], request: `GET /images/${image}/file`, ours: '200' },
    ]),
);

export const EQUAL: readonly Row[] = [
  ...LISTS,
  ...IMAGES,
  ...NOT_MADE_HERE,
  ...CHANNELS,
  ...IMPORTS,
  ...FILES,
  ...METHODS,
  ...SERVICE,
  ...BADLY_SIGNED,
  ...DISABLED_ORIGINS,
];
