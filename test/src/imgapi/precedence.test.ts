/** Of two things that are wrong with a request, which one is answered: each row has both. */
import { test } from 'tap';
import { ALICE, BOB } from '../../helpers/accounts.ts';
import type { Row } from './compatibility/row.ts';
import { compare, send } from './compatibility/send.ts';
import { servers } from './compatibility/servers.ts';

const OTHER_TAG = '0123456789abcdef0123456789abcdef01234567';
const NOBODY = '00000000-1111-4222-8333-444444444444';
const SIGNED = 'public with signatures';
const UPDATE = 'POST /images/$active?action=update';
const IMPORT = 'POST /images/$free?action=import';
const BROKEN = { headers: { 'content-type': 'application/json' }, body: '{' };

/** Before which other mistake a mistake is answered. */
const BEFORE: Readonly<Record<string, Row>> = {
  // Of every write: who asks, what, where, whether it may be seen, whether it may be changed, on which condition.
  'the signature, the UUID': { on: SIGNED, request: 'POST /images/x?action=update', ours: '401 UnauthorizedError' },
  'the signature, the body': { on: SIGNED, request: 'POST /images', ...BROKEN, ours: '401 UnauthorizedError' },
  'the version, the signature': {
    on: SIGNED,
    request: 'POST /images/x?action=update',
    headers: { 'accept-version': '~99' },
    ours: '400 InvalidVersion',
  },
  'the UUID, the channel': {
    on: 'channels',
    request: 'POST /images/x?action=update&channel=nope',
    ours: '404 ResourceNotFound',
  },
  'the channel, the body': {
    on: 'channels',
    request: `${UPDATE}&channel=nope`,
    ...BROKEN,
    ours: '422 ValidationFailed channel/Invalid',
  },
  'the channel, whether the image is there': {
    on: 'channels',
    request: 'GET /images/$free?channel=nope',
    ours: '422 ValidationFailed channel/Invalid',
  },
  'whether the image is seen, whose it is': {
    request: `${UPDATE}&account=${BOB}`,
    json: { name: 'x' },
    ours: '404 ResourceNotFound',
  },
  'whose the image is, what is changed': {
    request: `POST /images/$shared?action=update&account=${BOB}`,
    json: { name: '!' },
    ours: '422 NotImageOwner',
  },
  'whose the image is, the condition': {
    request: `POST /images/$shared?action=update&account=${BOB}`,
    json: { name: 'x' },
    headers: { 'if-match': OTHER_TAG },
    ours: '422 NotImageOwner',
  },
  'the condition, the action': {
    request: 'POST /images/$active?action=nonsense',
    headers: { 'if-match': OTHER_TAG },
    ours: '412 PreconditionFailed',
  },
  'whether the image is seen, the action': {
    request: `POST /images/$active?action=nonsense&account=${BOB}`,
    ours: '404 ResourceNotFound',
  },
  'whose the image is, the entries of the ACL': {
    request: `POST /images/$shared/acl?account=${BOB}`,
    json: ['!'],
    ours: '422 NotImageOwner',
  },

  // CreateImage.
  'whose the image would be, its state': {
    request: `POST /images?account=${BOB}`,
    manifest: { owner: ALICE, state: 'active' },
    ours: '422 InvalidParameter owner/Invalid',
  },
  'the state, whether the owner is there': {
    request: 'POST /images',
    manifest: { state: 'active', owner: NOBODY },
    ours: '422 ValidationFailed state/NotAllowed',
  },
  'whether the owner is there, the origin': {
    request: 'POST /images',
    manifest: { owner: NOBODY, origin: '$free' },
    ours: '422 OwnerDoesNotExist',
  },
  'the origin, unknown fields': {
    request: 'POST /images',
    manifest: { origin: '$free', nope: 1 },
    ours: '422 OriginDoesNotExist',
  },
  'unknown fields, the rules of the others': {
    request: 'POST /images',
    manifest: { nope: 1, name: '!', version: '' },
    ours: '422 InvalidParameter nope/Invalid',
  },

  // The imports.
  'import: the account, the source': { request: `${IMPORT}&account=${ALICE}&source=x`, ours: '403 OperatorOnly' },
  'import: the account, the UUID of the body': {
    request: `${IMPORT}&account=${ALICE}`,
    manifest: { uuid: NOBODY },
    ours: '403 OperatorOnly',
  },
  'import: the UUID of the body, the flags': {
    request: `${IMPORT}&skip_owner_check=x`,
    manifest: { uuid: NOBODY },
    ours: '422 InvalidParameter uuid/Invalid',
  },
  'import: whether the image is there, its origin': {
    request: 'POST /images/$active?action=import',
    manifest: { v: 2, uuid: '$active', origin: '$free' },
    ours: '409 ImageUuidAlreadyExists',
  },
  'import: the origin, whether the owner is there': {
    request: IMPORT,
    manifest: { v: 2, uuid: '$free', origin: NOBODY, owner: NOBODY },
    ours: '422 OriginDoesNotExist',
  },
  'import: whether the owner is there, unknown fields': {
    request: IMPORT,
    manifest: { v: 2, uuid: '$free', owner: NOBODY, nope: 1 },
    ours: '422 OwnerDoesNotExist',
  },
  'import-remote: the source, the account': {
    request: `POST /images/$active?action=import-remote&account=${ALICE}`,
    ours: '422 ValidationFailed source/MissingParameter',
  },
  'import-remote: the account, whether the image is there': {
    request: `POST /images/$active?action=import-remote&source=http://127.0.0.1:1&account=${ALICE}`,
    ours: '403 OperatorOnly',
  },
  'import-remote: whether the image is there, the source’s answer': {
    request: 'POST /images/$active?action=import-remote&source=http://127.0.0.1:1',
    ours: '409 ImageUuidAlreadyExists',
  },
  'import-from-datacenter: the UUID, the account': {
    request: 'POST /images/x?action=import-from-datacenter&account=x',
    ours: '404 ResourceNotFound',
  },
  'import-from-datacenter: the account, the datacenter': {
    request: 'POST /images/$free?action=import-from-datacenter&account=x',
    ours: '422 ValidationFailed account/Invalid',
  },
  'import-from-datacenter: the datacenter, whether the image is there': {
    request: `POST /images/$active?action=import-from-datacenter&account=${ALICE}&datacenter=nope`,
    ours: '422 ValidationFailed datacenter/Invalid',
  },

  // Files.
  'a file: whether it may change, its compression': {
    request: 'PUT /images/$active/file',
    body: 'x',
    ours: '422 ImageFilesImmutable',
  },
  'a file: its compression, the store': {
    request: 'PUT /images/$new/file?compression=zip&storage=nope',
    body: 'x',
    ours: '422 InvalidParameter compression/Invalid',
  },
  'a file: who chooses the store, which': {
    request: `PUT /images/$new/file?compression=none&storage=nope&account=${ALICE}`,
    body: 'x',
    ours: '422 InvalidParameter storage/NotAllowed',
  },
  'a file: the store, the hash': {
    request: 'PUT /images/$new/file?compression=none&storage=nope&sha1=x',
    body: 'x',
    ours: '422 InvalidParameter storage/Invalid',
  },
  'an icon: its type, the store': {
    request: 'PUT /images/$active/icon?storage=nope',
    body: 'x',
    ours: '400 Upload',
  },

  // Actions.
  'activate: whether it is activated, the file': {
    request: 'POST /images/$active?action=activate',
    ours: '422 ImageAlreadyActivated',
  },
  'clone: whether the image is seen, the rest': {
    request: `POST /images/$ready/clone?account=${BOB}`,
    ours: '404 ResourceNotFound',
  },
  'clone: the account, whether the image is activated': {
    request: 'POST /images/$ready/clone',
    ours: '422 InvalidParameter account/Invalid',
  },
  'clone: whether the image is activated, whether it is shared': {
    request: `POST /images/$ready/clone?account=${ALICE}`,
    ours: '422 ValidationFailed active/Invalid',
  },
  'clone: whether the image is shared, its type': {
    request: `POST /images/$docker/clone?account=${ALICE}`,
    ours: '422 ImageNotShared',
  },
  'export: the path, whether there is Manta': {
    request: 'POST /images/$active?action=export&manta_path=x',
    ours: '422 InvalidParameter manta_path/Invalid',
  },
  'export: whether there is Manta, whether there is a file': {
    request: 'POST /images/$new?action=export&manta_path=/a/stor/x',
    ours: '503 StorageUnsupported',
  },
  'export: whether there is a file, whose the path is': {
    on: 'with Manta',
    request: `POST /images/$new?action=export&manta_path=/bob/stor/x&account=${ALICE}`,
    ours: '404 ResourceNotFound',
  },
  'change-stor: whether the image is seen, the account': {
    request: `POST /images/$ready?action=change-stor&account=${BOB}`,
    ours: '404 ResourceNotFound',
  },
  'change-stor: the account, the store': {
    request: `POST /images/$active?action=change-stor&account=${ALICE}`,
    ours: '403 OperatorOnly',
  },
  'change-stor: the store, whether there is a file': {
    request: 'POST /images/$new?action=change-stor&stor=nope',
    ours: '422 ValidationFailed stor/Invalid',
  },
  'delete: whose the image is, the flags': {
    request: `DELETE /images/$shared?force_all_channels=x&account=${BOB}`,
    ours: '422 NotImageOwner',
  },
  'delete: whose the image is, whether it goes for good': {
    request: `DELETE /images/$shared?purge=x&account=${BOB}`,
    ours: '422 NotImageOwner',
  },
  'delete: the flags, what builds on the image': {
    with: ['child', 'middle', 'base'],
    request: 'DELETE /images/$base?force_all_channels=x',
    ours: '422 InvalidParameter force_all_channels/Invalid',
  },
};

test('of two mistakes the first in order is answered', async (t) => {
  const start = servers(t);
  for (const [pair, row] of Object.entries(BEFORE)) {
    await t.test(pair, async (t) => compare(t, row, await send(await start(row.on ?? 'dc'), row)));
  }
});
