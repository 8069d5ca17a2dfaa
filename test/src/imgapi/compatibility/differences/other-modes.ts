/** Public and private servers, with and without signatures. */
import { ABORT, STAYS_UP } from '../abort.ts';
import type { Difference } from '../row.ts';

const HIDDEN =
  'Without a signature only what is active is there, and what that builds on. Whoever signs, or works without signatures, sees all.';
const KEYS = 'ECDSA and Ed25519 keys are as good as RSA ones.';

const SIGNED = ['public with signatures', 'private with signatures'] as const;

export const OTHER_MODES: readonly Difference[] = [
  { on: 'public', request: 'GET /images/$active/jobs', theirs: ABORT, ours: '200', why: STAYS_UP },
  { on: 'channels', request: 'GET /images/$active/jobs?channel=*', theirs: ABORT, ours: '200', why: STAYS_UP },
  {
    on: 'channels',
    request: 'POST /images/$active?action=channel-add',
    theirs: ABORT,
    ours: '422 ValidationFailed channel/Invalid',
    why: STAYS_UP,
  },
  {
    on: 'channels',
    with: ['twoChannels', 'inRelease'],
    request: 'DELETE /images/$twoChannels?force_all_channels=true',
    theirs: '204: it looks for images that build on it in one channel only',
    ours: '422 ImageHasDependentImages',
    why: 'Nobody loses the origin of an image in another channel.',
  },
  ...SIGNED.flatMap((on): Difference[] => [
    ...['$disabled', '$ready'].flatMap((image): Difference[] => [
      { on, request: `GET /images/${image}`, theirs: '200', ours: '404 ResourceNotFound', why: HIDDEN },
      { on, request: `GET /images/${image}/file`, theirs: '200', ours: '404 ResourceNotFound', why: HIDDEN },
      { on, request: `GET /images/${image}/jobs`, theirs: ABORT, ours: '404 ResourceNotFound', why: HIDDEN },
    ]),
    {
      on,
      request: 'DELETE /images/$active/icon',
      signed: 'well',
      theirs: ABORT,
      ours: '404 ResourceNotFound',
      why: STAYS_UP,
    },
    ...(['by ECDSA', 'by Ed25519'] as const).flatMap((signed): Difference[] =>
      ['/images', '/images/$disabled', '/ping', '/state'].map((path) => ({
        on,
        request: `GET ${path}`,
        signed,
        theirs: '401 UnauthorizedError',
        ours: '200',
        why: KEYS,
      })),
    ),
  ]),
  ...(['by ECDSA', 'by Ed25519'] as const).map(
    (signed): Difference => ({
      on: 'public with signatures',
      request: 'POST /authkeys/reload',
      signed,
      theirs: '401 UnauthorizedError',
      ours: '200',
      why: KEYS,
    }),
  ),
];
