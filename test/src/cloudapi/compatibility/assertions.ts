/**
 * What the tests of Triton's CloudAPI 9.20 assert of images, datacenters, accounts and authentication, in our words: each
 * request that they send, and what they look at in the answer.
 */
import type { Assertion } from './row.ts';
import { ROLE, USER } from './world.ts';

const NOWHERE = '11111111-2222-4333-8444-555555555555';
const NO_IMAGE = { code: 'ResourceNotFound', message: 'image not found' };
const UNFIT = { code: 'InvalidCredentials', message: 'The token provided is not authorized for this application' };

/** The same tests run with each of these versions; `*` is what a client sends that wants none. */
const VERSIONS = [
  { file: 'images.70', version: '~7.0', images: '7.0', type: 'smartmachine' },
  { file: 'images.80', version: '~8.0', images: '8.0', type: 'zone-dataset' },
  { file: 'images', version: '*', images: '8.0', type: 'zone-dataset' },
  { file: 'images.9', version: '~9', images: '8.0', type: 'zone-dataset' },
] as const;

const IMAGES = VERSIONS.flatMap(({ file, version, images, type }): Assertion[] => {
  const of = (test: string) => ({ from: `${file}: ${test}`, version });
  return [
    { ...of('list'), request: 'GET /my/images', ours: '200 [minimal-64-lts linux mine]', images },
    { ...of('search, nothing found'), request: 'GET /my/images?os=plan9', ours: '200', is: [] },
    { ...of('search'), request: 'GET /my/images?os=smartos', ours: '200 [minimal-64-lts mine]', images },
    { ...of('search by type'), request: `GET /my/images?type=${type}`, ours: '200', images, shows: [{ type }] },
    { ...of('get'), request: 'GET /my/images/$public', ours: '200', images },
    {
      ...of('one that may not be seen'),
      request: 'GET /my/images/$hidden',
      ours: '404 ResourceNotFound',
      is: NO_IMAGE,
    },
    {
      ...of('one that there is not'),
      request: `GET /my/images/${NOWHERE}`,
      ours: '404 ResourceNotFound',
      is: NO_IMAGE,
    },
    version === '~7.0'
      ? {
          ...{ ...of('a type that there is not'), request: 'GET /my/images?type=foo', ours: '409 InvalidArgument' },
          is: { code: 'InvalidArgument', message: 'image type foo is not a valid type' },
        }
      : { ...of('a type that there is not'), request: 'GET /my/images?type=meep', ours: '200', is: [] },
  ];
});

const DATACENTERS: readonly Assertion[] = [
  {
    ...{ from: 'datacenters: list', request: 'GET /my/datacenters', ours: '200' },
    shows: { 'test-1': 'https://test-1.example.com' },
  },
  {
    ...{ from: 'datacenters: get', request: 'GET /my/datacenters/test-1', ours: '302 ResourceMoved' },
    ...{ shows: { message: /./ }, sends: { location: 'https://test-1.example.com' } },
  },
  {
    ...{ from: 'datacenters: one that there is not', request: `GET /my/datacenters/${NOWHERE}` },
    ...{ ours: '404 ResourceNotFound', shows: { message: /./ } },
  },
];

const SELF = { login: USER.login, email: USER.login, id: /./, created: /./, updated: /./ };
const PERSON = { givenName: 'James', sn: 'Bond', phone: '+1 891 657 5818' };

const ACCOUNT: readonly Assertion[] = [
  { from: 'account: my', request: 'GET /my', ours: '200', shows: SELF },
  { from: 'account: by login', request: `GET /${encodeURIComponent(USER.login)}`, ours: '200', shows: SELF },
  { from: "account: another's", request: `GET /${USER.login}`, as: 'other', ours: '403 NotAuthorized' },
  { from: 'account: the admin', request: 'GET /admin', ours: '403 NotAuthorized' },
  { from: 'account: one that there is not', request: `GET /${NOWHERE}`, ours: '404 ResourceNotFound' },
  {
    ...{ from: "account: change another's", request: `POST /${USER.login}`, as: 'other', json: PERSON },
    ours: '403 NotAuthorized',
  },
  {
    ...{ from: 'account: PUT without tags', request: `PUT /${USER.login}`, json: PERSON, ours: '200' },
    shows: { name: `/${USER.login}`, 'role-tag': [] },
  },
];

const AUTH: readonly Assertion[] = [
  { from: 'auth: signature', request: 'GET /my/keys', ours: '200', shows: [{ name: 'id_rsa' }] },
  {
    ...{ from: 'auth: newer signature', request: 'GET /my/keys', signed: 'newer', version: '~7.1', ours: '200' },
    shows: [{ name: 'id_rsa' }],
  },
  {
    ...{ from: 'auth: disabled account', request: 'GET /my', as: 'disabled', ours: '403 NotAuthorized' },
    is: { code: 'NotAuthorized', message: 'Account or user is disabled' },
  },
  {
    ...{ from: 'auth: token for another path', request: 'GET /my/keys', as: 'other', signed: 'token: /my/other' },
    ...{ ours: '401 InvalidCredentials', is: UNFIT },
  },
  {
    ...{ from: 'auth: token that expired', request: 'GET /my/keys', as: 'other', ours: '401 InvalidCredentials' },
    ...{ signed: 'token: /my/keys until 2020-01-01T00:00:00Z', is: UNFIT },
  },
  {
    ...{ from: 'auth: token', request: 'GET /my/keys', as: 'other', signed: 'token: /my/keys', version: '~8.0' },
    ...{ ours: '200', shows: [{ name: 'id_rsa' }] },
  },
  { from: 'auth: sub-user', request: `GET /${USER.login}`, as: 'subuser', version: '~7.2', ours: '403 NotAuthorized' },
  {
    ...{ from: 'auth: tag the account', request: `PUT /${USER.login}`, json: { 'role-tag': [ROLE.name] }, ours: '200' },
    shows: { name: `/${USER.login}`, 'role-tag': [ROLE.name] },
  },
  {
    ...{ from: 'auth: tag of the account', request: `GET /${USER.login}`, ours: '200', shows: SELF },
    sends: { 'role-tag': ROLE.name },
  },
  {
    from: 'auth: what is tagged, to a sub-user',
    request: `GET /${USER.login}`,
    as: 'subuser',
    version: '~7.2',
    ours: '200',
  },
  {
    ...{ from: 'auth: what is not', request: `GET /${USER.login}/keys`, as: 'subuser', version: '~7.2' },
    ours: '403 NotAuthorized',
  },
  {
    ...{ from: 'auth: tag a collection', request: 'PUT /my/keys', json: { 'role-tag': [ROLE.name] }, ours: '200' },
    shows: { 'role-tag': [ROLE.name] },
  },
  {
    ...{ from: 'auth: tag of a collection', request: 'GET /my/keys', ours: '200' },
    sends: { 'role-tag': ROLE.name },
  },
  {
    ...{
      from: 'auth: sub-user with policy and tag',
      request: `GET /${USER.login}/keys`,
      as: 'subuser',
      version: '~7.2',
    },
    ours: '200',
  },
  {
    ...{ from: 'auth: sub-user as a role', request: `GET /${USER.login}/keys?as-role=${ROLE.name}`, as: 'subuser' },
    ...{ version: '~7.2', ours: '200' },
  },
  {
    ...{ from: 'auth: a role that there is not', request: 'PUT /my/keys', json: { 'role-tag': ['asdasdasdasd'] } },
    ...{ ours: '409 InvalidArgument' },
    is: { code: 'InvalidArgument', message: 'Role(s) asdasdasdasd not found' },
  },
  {
    ...{ from: "auth: tag another's account", request: `PUT /${USER.login}`, as: 'other' },
    ...{ json: { 'role-tag': [ROLE.name] }, ours: '403 NotAuthorized' },
  },
  {
    ...{ from: 'auth: tag an image', request: 'PUT /my/images/$mine', json: { 'role-tag': [ROLE.name] }, ours: '200' },
    shows: { 'role-tag': [ROLE.name] },
  },
  { from: 'auth: tag of an image', request: 'GET /my/images/$mine', ours: '200', sends: { 'role-tag': ROLE.name } },
  {
    ...{ from: "auth: tag another's image", request: 'PUT /my/images/$mine', as: 'other' },
    ...{ json: { 'role-tag': [ROLE.name] }, ours: '404 ResourceNotFound' },
  },
];

const KEYS: readonly Assertion[] = [
  { from: 'keys: list', request: 'GET /my/keys', ours: '200', shows: [{ name: 'id_rsa', key: /^ssh-rsa / }] },
  { from: 'keys: get', request: 'GET /my/keys/id_rsa', ours: '200', shows: { name: 'id_rsa', key: /^ssh-rsa / } },
  { from: 'keys: one that there is not', request: `GET /my/keys/${NOWHERE}`, ours: '404 ResourceNotFound' },
];

const PING: readonly Assertion[] = [
  {
    ...{ from: 'ping', request: 'GET /--ping', as: 'nobody', ours: '200' },
    is: { ping: 'pong', cloudapi: { versions: ['9.0.0', '8.0.0', '7.3.0', '7.2.0', '7.1.0', '7.0.0'] } },
  },
  { from: 'no signature', request: 'GET /my/images', as: 'nobody', ours: '401 InvalidCredentials' },
  { from: 'an older version', request: 'GET /my/images', version: '~6.5', ours: '400 InvalidVersion' },
];

/** Of `lib/datasets.js`, which no test of theirs asks for. */
const IN_DATASETS: readonly Assertion[] = [
  ...(['machine', 'name', 'version'] as const).map((name): Assertion => {
    const json = { machine: NOWHERE, name: 'n', version: 'v', [name]: undefined };
    const what = name === 'machine' ? name : `Image ${name}`;
    return {
      ...{ from: `create without ${name}`, request: 'POST /my/images', json, ours: '409 MissingParameter' },
      is: { code: 'MissingParameter', message: `${what} is a required argument` },
    };
  }),
  {
    ...{ from: 'no action', request: 'POST /my/images/$mine', json: {}, ours: '409 MissingParameter' },
    is: { code: 'MissingParameter', message: 'action is a required argument' },
  },
  {
    ...{ from: 'unknown action', request: 'POST /my/images/$mine?action=paint', json: {}, ours: '409 InvalidArgument' },
    is: { code: 'InvalidArgument', message: 'action paint is not a valid argument' },
  },
  {
    ...{ from: 'export without a path', request: 'POST /my/images/$mine?action=export', json: {} },
    ...{ ours: '409 MissingParameter' },
    is: { code: 'MissingParameter', message: 'Image destination manta_path is a required argument' },
  },
  {
    ...{ from: 'import without a datacenter', request: `POST /my/images?action=import-from-datacenter&id=${NOWHERE}` },
    ...{ ours: '409 MissingParameter' },
    is: { code: 'MissingParameter', message: 'datacenter is a required argument' },
  },
  {
    ...{ from: 'import of nothing', request: 'POST /my/images?action=import-from-datacenter&datacenter=test-1&id=x' },
    ...{ ours: '409 InvalidArgument', is: { code: 'InvalidArgument', message: 'id x must be a UUID' } },
  },
  {
    from: 'no UUID',
    request: 'GET /my/images/smartos',
    ours: '404 ResourceNotFound',
    shows: { message: 'smartos not found' },
  },
  {
    ...{ from: 'the body before the query', request: 'POST /my/images/$mine?action=update&description=a', ours: '200' },
    ...{ json: { description: 'b' }, shows: { description: 'b' } },
  },
  {
    ...{ from: 'a form', request: 'POST /my/images/$mine?action=update', form: 'description=c+d&eula=https%3A%2F%2Fx' },
    ...{ ours: '200', shows: { description: 'c d', eula: 'https://x' } },
  },
  {
    ...{ from: 'a signed URL', request: 'GET /my/images?os=smartos', signed: 'by URL' },
    ours: '200 [minimal-64-lts mine]',
  },
  {
    from: 'clone without access',
    request: 'POST /my/images/$mine?action=clone',
    as: 'other',
    json: {},
    ours: '404 ResourceNotFound',
  },
  { from: "delete another's", request: 'DELETE /my/images/$mine', as: 'other', ours: '404 ResourceNotFound' },
];

export const ASSERTIONS: readonly Assertion[] = [
  ...PING,
  ...IMAGES,
  ...DATACENTERS,
  ...ACCOUNT,
  ...AUTH,
  ...KEYS,
  ...IN_DATASETS,
];
