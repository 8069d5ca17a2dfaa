/** The imports of operators. */
import { ALICE } from '../../../../helpers/accounts.ts';
import { ABORT, STAYS_UP } from '../abort.ts';
import type { Difference } from '../row.ts';

const request = 'POST /images/$free?action=import';

export const IMPORT: readonly Difference[] = [
  { request, theirs: ABORT, ours: '422 ValidationFailed body/MissingParameter', why: STAYS_UP },
  {
    request,
    manifest: { v: 2, uuid: '$free', icon: true },
    theirs: '422 ValidationFailed icon/Invalid',
    ours: '200',
    why: 'An image with an icon is imported as well. The icon itself comes with import-remote.',
  },
  {
    request,
    manifest: { uuid: '$free', creator_uuid: ALICE },
    theirs: ABORT,
    ours: '200',
    shows: { owner: ALICE },
    why: 'A manifest of version 1 is turned into one of version 2 before anything is checked.',
  },
  {
    request,
    manifest: { v: 2, uuid: '$free', origin: '$new' },
    theirs: '200',
    ours: '422 OriginIsNotActive',
    why: 'An image builds on bytes that do not change any more.',
  },
  {
    request: 'POST /images/$free?action=import&account=',
    manifest: { v: 2, uuid: '$free' },
    theirs: '200, as for an operator',
    ours: '403 OperatorOnly',
    why: 'An empty name must not make an operator of whoever sends it.',
  },
  {
    request: 'POST /images/$free?action=import&skip_owner_check=',
    manifest: { v: 2, uuid: '$free' },
    theirs: '200',
    ours: '422 InvalidParameter skip_owner_check/Invalid',
    why: 'Of a flag an empty value is no value.',
  },
  {
    request: 'POST /images/$free?action=import-remote&source=foo',
    theirs: 'no answer',
    ours: '422 ValidationFailed source/Invalid',
    why: 'Every request is answered.',
  },
  {
    request: 'POST /images/$free?action=import-remote&source=http://127.0.0.1:1',
    theirs: 'no answer',
    ours: '503 RemoteSourceError',
    why: 'Every request is answered.',
  },
];
