/** CreateImage. */
import { ALICE, BOB } from '../../../../helpers/accounts.ts';
import { ABORT, STAYS_UP } from '../abort.ts';
import type { Difference } from '../row.ts';

const request = 'POST /images';
const NAMES_FIELD = 'The error says which field is wrong.';
const ZVOL = { type: 'zvol', nic_driver: 'v', disk_driver: 'v', cpu_type: 'h' };

export const CREATE: readonly Difference[] = [
  { request, theirs: ABORT, ours: '422 ValidationFailed body/MissingParameter', why: STAYS_UP },
  { request, json: 'text', theirs: ABORT, ours: '422 ValidationFailed body/MissingParameter', why: STAYS_UP },
  { request, json: null, theirs: ABORT, ours: '422 ValidationFailed body/MissingParameter', why: STAYS_UP },
  {
    request,
    manifest: { owner: undefined },
    theirs: ABORT,
    ours: '422 ValidationFailed owner/MissingParameter',
    why: STAYS_UP,
  },
  { request, manifest: { owner: 'me' }, theirs: ABORT, ours: '422 ValidationFailed owner/Invalid', why: STAYS_UP },
  {
    request,
    manifest: { creator_uuid: ALICE, creator_name: 'x' },
    theirs: ABORT,
    ours: '422 InvalidParameter creator_uuid/Invalid,creator_name/Invalid',
    why: 'A manifest of version 1 has a UUID, so it is imported, not created.',
  },
  { request, manifest: { tags: 'x' }, theirs: ABORT, ours: '422 ValidationFailed tags/Invalid', why: STAYS_UP },
  {
    request: 'POST /images?action=foo',
    manifest: {},
    theirs: ABORT,
    ours: '422 InvalidParameter action/Invalid',
    why: STAYS_UP,
  },
  {
    request,
    manifest: { owner: ALICE.toUpperCase() },
    theirs: '422 OwnerDoesNotExist',
    ours: '422 ValidationFailed owner/Invalid',
    why: 'UUIDs are lower case: that is what is wrong with this one.',
  },
  {
    request,
    manifest: { disabled: 'x' },
    theirs: '500, without a code',
    ours: '422 ValidationFailed disabled/Invalid',
    why: NAMES_FIELD,
  },
  {
    request,
    manifest: { homepage: 5 },
    theirs: '500, without a code',
    ours: '422 ValidationFailed homepage/Invalid',
    why: NAMES_FIELD,
  },
  {
    request,
    manifest: { name: null },
    theirs: '500, without a code',
    ours: '422 ValidationFailed name/Invalid',
    why: NAMES_FIELD,
  },
  {
    request,
    manifest: { icon: true },
    theirs: '422 ValidationFailed icon/Invalid',
    ours: '200',
    why: 'A manifest that was read goes back in; the flag is about the server that it was read from.',
  },
  {
    request,
    manifest: { requirements: [] },
    theirs: '200',
    ours: '422 ValidationFailed requirements/Invalid',
    why: 'Clients look for requirements by name.',
  },
  {
    request,
    manifest: { requirements: 'x' },
    theirs: '422 ValidationFailed 0/Invalid',
    ours: '422 ValidationFailed requirements/Invalid',
    why: NAMES_FIELD,
  },
  {
    request,
    manifest: { traits: [] },
    theirs: '200',
    ours: '422 ValidationFailed traits/Invalid',
    why: 'Traits are looked for by name.',
  },
  {
    request,
    manifest: { ...ZVOL, image_size: 0 },
    theirs: '200, and the image shows no size',
    ours: '422 ValidationFailed image_size/Invalid',
    why: 'No disk can be made of it. Images that have such a size stay.',
  },
  {
    request,
    manifest: { ...ZVOL, image_size: -5 },
    theirs: '200',
    ours: '422 ValidationFailed image_size/Invalid',
    why: 'No disk can be made of it. Images that have such a size stay.',
  },
  {
    request,
    manifest: { image_size: 0, nic_driver: '' },
    theirs: '422 InvalidParameter image_size/Invalid',
    ours: '200',
    why: 'What is empty is as good as left out.',
  },
  {
    request,
    manifest: { origin: '$new' },
    theirs: '200',
    ours: '422 OriginIsNotActive',
    why: 'An image builds on bytes that do not change any more.',
  },
  {
    request: `POST /images?account=${BOB}`,
    manifest: { owner: BOB, origin: '$active' },
    theirs: '200',
    ours: '422 OriginDoesNotExist',
    why: 'An account builds on what it may see. Whether somebody else has an image of that UUID is not told.',
  },
  {
    request: 'POST /images?account=',
    manifest: {},
    theirs: '200, as for an operator',
    ours: '422 InvalidParameter account/Invalid',
    why: 'An empty name must not make an operator of whoever sends it.',
  },
];
