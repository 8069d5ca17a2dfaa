/** Changes of images. */
import { ALICE, BOB } from '../../../../helpers/accounts.ts';
import { ABORT, STAYS_UP } from '../abort.ts';
import type { Difference } from '../row.ts';

const request = 'POST /images/$active?action=update';
const OTHER_TAG = '0123456789abcdef0123456789abcdef01234567';
const CONDITION =
  'Whatever writes to an image looks at `If-Match` and `If-None-Match`, so that nobody undoes a change unseen.';

export const UPDATE: readonly Difference[] = [
  {
    request: 'POST /images/$tagged?action=update',
    json: { tags: null },
    theirs: '200, and the tags are still shown',
    ours: '200',
    shows: { tags: undefined },
    why: '`null` removes a field.',
  },
  {
    request,
    json: [],
    theirs: '422 ValidationFailed, without saying of what',
    ours: '422 ValidationFailed body/MissingParameter',
    why: 'The error says what is wrong.',
  },
  {
    request,
    body: 'x',
    theirs: '422 ValidationFailed body/MissingParameter',
    ours: '400 InvalidContent',
    why: 'Without a Content-Type a body is taken for JSON, which this is not.',
  },
  {
    request,
    json: { state: 'creating' },
    theirs: '200, and the image is still shown as active',
    ours: '422 ValidationFailed state/NotAllowed',
    why: 'A state that the image would not show is refused.',
  },
  {
    request,
    json: { error: { message: 'm' } },
    theirs: '200, and nothing of it is shown',
    ours: '422 ValidationFailed error/NotAllowed',
    why: 'An error that nobody would see is refused.',
  },
  {
    request,
    json: { state: 'failed' },
    theirs: '200, and lists of failed images show it as active',
    ours: '200',
    shows: { state: 'failed' },
    why: 'Lists and images agree on the state.',
  },
  {
    request: 'POST /images/$ready?action=update',
    json: { uuid: '$active' },
    theirs: '200, in place of the image that has that UUID',
    ours: '409 ImageUuidAlreadyExists',
    why: 'Nobody loses an image by it.',
  },
  ...(
    [
      ['POST /images/$active/acl', [BOB]],
      ['POST /images/$active/acl?action=remove', [BOB]],
      [`POST /images/$shared/clone?account=${BOB}`, {}],
      ['POST /images/$active?action=change-stor&stor=local', {}],
      ['DELETE /images/$active', undefined],
      ['DELETE /images/$withIcon/icon', undefined],
    ] as const
  ).map(
    ([request, json]): Difference => ({
      request,
      ...(json !== undefined && { json }),
      headers: { 'if-match': OTHER_TAG },
      theirs: 'the condition is ignored',
      ours: '412 PreconditionFailed',
      why: CONDITION,
    }),
  ),
  {
    request: `POST /images/$shared/clone?account=${BOB}`,
    theirs: '200, without an Etag',
    ours: '200',
    sends: { etag: /^[0-9a-f]{40}$/ },
    why: 'Every answer with one image has its tag.',
  },
  {
    request: 'POST /images/$new?action=change-stor&stor=local',
    theirs: ABORT,
    ours: '422 ValidationFailed files/MissingParameter',
    why: STAYS_UP,
  },
  {
    on: 'with Manta',
    request: 'POST /images/$new?action=export&manta_path=/alice/stor/x',
    theirs: ABORT,
    ours: '404 ResourceNotFound',
    why: STAYS_UP,
  },
  {
    on: 'with Manta',
    request: `POST /images/$active?action=export&manta_path=/alice/stor/x&account=${ALICE}`,
    theirs: '503 StorageUnsupported, as its file is local',
    ours: '200',
    shows: { image_path: '/alice/stor/x.zfs', manifest_path: '/alice/stor/x.imgmanifest' },
    why: 'It does not matter where the file is kept.',
  },
  {
    on: 'with Manta',
    request: 'POST /images/$active?action=export&manta_path=alice/stor/x',
    theirs: '200; written to wherever that is in Manta',
    ours: '422 InvalidParameter manta_path/Invalid',
    why: 'A path in Manta begins with a slash.',
  },
  {
    on: 'with Manta',
    request: 'POST /images/$withIcon?action=change-stor&stor=manta',
    theirs: '400 NotImplemented',
    ours: '200',
    shows: { files: [{ stor: 'manta' }] },
    why: 'The icon moves too.',
  },
];
