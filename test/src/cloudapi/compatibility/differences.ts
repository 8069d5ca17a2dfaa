/** All differences from Triton's CloudAPI that are meant, in the parts in which docs/compatibility-cloudapi.md shows them. */
import type { Difference } from './row.ts';
import { ROLE, USER } from './world.ts';

export interface Part {
  readonly title: string;
  readonly rows: readonly Difference[];
}

const NOWHERE = '11111111-2222-4333-8444-555555555555';
const ELSEWHERE = 'This is the image part of CloudAPI: the rest is behind the same proxy.';
const IMAGES_HERE = 'What this service adds to images.';

const IMAGES: readonly Difference[] = [
  {
    ...{
      request: 'GET /my/images/$mine',
      theirs: '200, without `owner_login` and `shared_with`',
      ours: '200; with them',
    },
    ...{ shows: { owner_login: USER.login }, why: IMAGES_HERE },
  },
  {
    ...{ request: 'GET /my/images/$linux', theirs: '200, without `image_size`', ours: '200; with it' },
    ...{ shows: { image_size: 10 }, why: 'What is made of it needs a disk of that size.' },
  },
  {
    ...{ request: 'GET /my/images?owner=me', theirs: '200, an empty list', ours: '200 [mine]' },
    why: 'Nobody has the UUID `me`, and everybody wants a list of what is his own.',
  },
  {
    ...{ request: 'GET /my/images?limit=1&os=linux', theirs: '200, as without `limit`', ours: '200 [linux]' },
    why: 'A client that asks for few images gets few.',
  },
  {
    ...{ request: 'GET /my/images?public=perhaps', theirs: 'an error of IMGAPI', ours: '409 InvalidArgument' },
    why: 'The parameter that is wrong is named.',
  },
  {
    ...{
      request: 'POST /my/images/$mine?action=update',
      json: { acl: ['nobody-has-it'] },
      theirs: '422 ValidationFailed',
    },
    ...{
      ours: '200',
      shows: { acl: ['nobody-has-it'] },
      why: 'Images are shared by login as well, which tells nobody which logins there are.',
    },
  },
  {
    ...{ request: 'POST /my/images/$mine?action=share', json: { account: 'other-one' }, theirs: '409 InvalidArgument' },
    ...{ ours: '200', shows: { shared_with: ['nobody-has-it', 'other-one'] }, why: IMAGES_HERE },
  },
  {
    ...{ request: 'POST /my/images/$mine?action=update', json: { public: true }, theirs: '200, and nothing changes' },
    ...{ ours: '409 InvalidArgument', why: 'Who wants to publish an image is told that he has not.' },
  },
  {
    ...{ request: 'POST /my/images?action=paint', json: {}, theirs: 'no answer at all', ours: '409 InvalidArgument' },
    why: 'As for an action of an image.',
  },
  {
    ...{
      request: 'POST /my/images',
      headers: { 'content-type': 'text/plain' },
      json: {},
      theirs: '409 MissingParameter',
    },
    ...{ ours: '415 UnsupportedMediaType', why: 'What was sent is not read, and the client is told so.' },
  },
];

const SIGNATURES: readonly Difference[] = [
  {
    ...{ request: 'GET /my', as: 'modern', signed: 'newer', theirs: '401 InvalidCredentials', ours: '200' },
    why: 'Ed25519 is what ssh-keygen makes.',
  },
  {
    ...{ request: 'GET /my', signed: 'older with host', theirs: '200, if both are signed', ours: '400 InvalidHeader' },
    why: 'In this form nothing says which header a value belongs to: what was signed for one request could be sent as another.',
  },
  {
    ...{
      request: 'GET /my',
      signed: 'by a URL that expired',
      theirs: '500 InternalError',
      ours: '401 InvalidCredentials',
    },
    why: 'It is no fault of the server.',
  },
  {
    ...{ request: 'GET /my?keyId=x', theirs: '500 InternalError', ours: '401 InvalidCredentials' },
    why: 'The same: parameters that sign a URL are missing.',
  },
  {
    ...{ request: 'GET /admin/keys', as: 'other', signed: 'token: /admin/keys', theirs: "200, the admin's keys" },
    ...{ ours: '403 NotAuthorized', why: 'A token opens only what its own account may have.' },
  },
  {
    ...{ request: 'GET /my', as: 'other', signed: 'token: /my until soon', theirs: '200, for ever' },
    ...{ ours: '401 InvalidCredentials', why: 'A time that cannot be read is not one to come.' },
  },
];

const ACCOUNTS: readonly Difference[] = [
  {
    ...{ request: 'GET /nobody-has-it', theirs: '404 ResourceNotFound', ours: '403 NotAuthorized' },
    why: 'Nobody is told which logins there are. (A UUID that nobody has is a 404 here as well: it cannot be guessed.)',
  },
  {
    ...{ request: 'POST /my', json: { phone: '1' }, theirs: '200, the changed account', ours: '501 NotAvailable' },
    why: 'Accounts are managed elsewhere; the message says so.',
  },
  { request: 'GET /my/machines', theirs: '200, a list', ours: '405 MethodNotAllowedError', why: ELSEWHERE },
  {
    request: 'POST /my/keys',
    json: {},
    theirs: '409 MissingParameter',
    ours: '405 MethodNotAllowedError',
    why: ELSEWHERE,
  },
  {
    ...{ request: 'PUT /my/machines', json: { 'role-tag': [ROLE.name] }, theirs: '200', ours: '404 ResourceNotFound' },
    why: 'Only `images`, `keys`, `datacenters` and the account carry tags here.',
  },
  {
    ...{
      request: `GET /${NOWHERE}/images`,
      as: 'subuser',
      theirs: "200, its own account's",
      ours: '403 NotAuthorized',
    },
    why: 'Who asks for another account does not get his own.',
  },
  {
    ...{
      request: 'GET /my/keys',
      as: 'subuser',
      version: '~7.0',
      theirs: '401 InvalidCredentials',
      ours: '403 NotAuthorized',
    },
    why: 'Sub-users may ask for any version; what they may do is the same.',
  },
];

const SERVICE: readonly Difference[] = [
  {
    ...{ request: 'GET /my/datacenters', theirs: '200, with `Content-MD5`', ours: '200; without it' },
    ...{ sends: { 'content-md5': undefined }, why: 'Lists are sent while they are read; no client looks at it.' },
  },
  {
    ...{ request: 'GET /my/images', version: 'nonsense', theirs: '400 InvalidVersion', ours: '400 InvalidVersion' },
    ...{ shows: { message: /the versions are 7\.0\.0, / }, why: 'The message names the versions.' },
  },
];

export const DIFFERENCES: readonly Part[] = [
  { title: 'Images', rows: IMAGES },
  { title: 'Signatures and tokens', rows: SIGNATURES },
  { title: 'Accounts and their sub-users', rows: ACCOUNTS },
  { title: 'The service', rows: SERVICE },
];
