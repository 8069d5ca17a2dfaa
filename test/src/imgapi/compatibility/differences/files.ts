/** Files and icons. */
import { ALICE } from '../../../../helpers/accounts.ts';
import { BYTES, FILE } from '../../fixtures/records.ts';
import { ABORT, STAYS_UP } from '../abort.ts';
import type { Difference } from '../row.ts';

const GET_FILE = 'GET /images/$active/file';
const FROM_URL = 'POST /images/$new/file/from-url?compression=none';
const UPLOAD = 'PUT /images/$new/file?compression=none';
const OWN_TAG = 'The tag of a file is that of its bytes, and so is the one that it is compared with.';

export const FILES: readonly Difference[] = [
  {
    request: GET_FILE,
    headers: { range: 'bytes=0-9' },
    theirs: '200, all of it',
    ours: '206; the ten bytes',
    sends: { 'content-length': '10', 'content-range': `bytes 0-9/${BYTES.length}` },
    why: 'A download that broke off goes on where it was.',
  },
  {
    request: GET_FILE,
    headers: { 'if-none-match': 'TAG' },
    theirs: '304: it compares with the tag of the manifest',
    ours: '200',
    sends: { etag: FILE.sha1 },
    why: OWN_TAG,
  },
  {
    request: GET_FILE,
    headers: { 'if-match': 'TAG' },
    theirs: '200: it compares with the tag of the manifest',
    ours: '412 PreconditionFailed',
    why: OWN_TAG,
  },
  {
    request: GET_FILE,
    headers: { 'if-match': '0123' },
    theirs: '412, of type application/octet-stream',
    ours: '412 PreconditionFailed',
    sends: { 'content-type': 'application/json' },
    why: 'Errors are JSON.',
  },
  { request: 'HEAD /images/$active/file', theirs: '405', ours: '200', why: 'HEAD is served wherever GET is.' },
  {
    request: UPLOAD,
    headers: { 'content-md5': 'AAAAAAAAAAAAAAAAAAAAAA==' },
    body: 'data',
    theirs: '200',
    ours: '400 Download',
    why: 'The bytes are checked against everything that is said of them.',
  },
  {
    request: `${UPLOAD}&sha1=A17C9AAA61E80A1BF71D0D850AF4E5BAA9800BBD`,
    body: 'data',
    theirs: '400 Download',
    ours: '200',
    why: 'Hex is the same in upper case.',
  },
  {
    request: `${UPLOAD}&sha1=abc`,
    body: 'data',
    theirs: '400 Download, once all bytes have come',
    ours: '422 InvalidParameter sha1/Invalid',
    why: 'What cannot be a SHA-1 is refused before the bytes are sent.',
  },
  {
    request: `${UPLOAD}&dataset_guid=${'1'.repeat(101)}`,
    body: 'data',
    theirs: '200',
    ours: '422 InvalidParameter dataset_guid/Invalid',
    why: 'ZFS has no GUID of more than 20 digits.',
  },
  {
    request: UPLOAD,
    headers: { 'if-match': '0123' },
    body: 'data',
    theirs: '200: the condition is ignored',
    ours: '412 PreconditionFailed',
    why: 'Whatever writes to an image looks at its conditions.',
  },
  { request: FROM_URL, theirs: ABORT, ours: '422 InvalidParameter file_url/Missing', why: STAYS_UP },
  {
    request: FROM_URL,
    json: { file_url: 5 },
    theirs: ABORT,
    ours: '422 InvalidParameter file_url/Invalid',
    why: STAYS_UP,
  },
  {
    request: `${FROM_URL}&account=${ALICE}`,
    json: { file_url: 'https://127.0.0.1:1/x' },
    theirs: '400 Download: it asks that address',
    ours: '403 OperatorOnly',
    why: 'An account must not have the service fetch what it cannot reach itself.',
  },
  {
    request: `PUT /images/$new/file?source=https://127.0.0.1:1&account=${ALICE}`,
    body: '',
    theirs: '503 RemoteSourceError: it asks that address',
    ours: '403 OperatorOnly',
    why: 'An account must not have the service fetch what it cannot reach itself.',
  },
  {
    request: 'PUT /images/$active/icon',
    headers: { 'content-type': 'image/png' },
    body: '',
    theirs: '200, and from then on the image is 404',
    ours: '200',
    shows: { icon: true },
    why: 'An empty icon is one.',
  },
  { request: 'DELETE /images/$active/icon', theirs: ABORT, ours: '404 ResourceNotFound', why: STAYS_UP },
  {
    request: 'POST /images/$active/icon',
    headers: { 'content-type': 'image/png' },
    body: 'icon',
    theirs: '405',
    ours: '200',
    why: 'The old documentation says POST.',
  },
];
