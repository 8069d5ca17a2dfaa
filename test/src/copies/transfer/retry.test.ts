import { test } from 'tap';
import VError from 'verror';
import { ApiError } from '#lib/api/errors/api-error.ts';
import { ImgapiError, ImgapiUnreachableError } from '#lib/client/errors.ts';
import { EtagConflictError, StoreUnavailableError } from '#lib/documents/errors.ts';
import { InsufficientStorageError, ObjectStoreUnavailableError, TooLargeError } from '#lib/objects/errors.ts';
import { failureOf } from '#src/copies/documents/failure-of.ts';
import { CopyError, FAILURES, type FailureCode } from '#src/copies/documents/failures.ts';
import { backoff, verdictOn } from '#src/copies/transfer/retry.ts';
import { SourceInvalidError } from '#src/datacenters/peers/errors.ts';

const NOW = 1_800_000_000_000;
const CONFIG = { giveUpAfterSeconds: 86_400, retryDelay: { min: 1, max: 300 } };
const RETRY = { count: 0, not_before: 0, last_byte_at: NOW, bad_hashes: 0, peak: 0 };

function answered(statusCode: number): ImgapiError {
  return new ImgapiError(`answered ${statusCode}`, { code: 'Some', statusCode });
}

const CASES: readonly (readonly [string, unknown, FailureCode])[] = [
  ['the network is away', new ImgapiUnreachableError('connect', 'http://x', 'no route'), 'SourceUnreachable'],
  ['the connection broke', Object.assign(new Error('reset'), { code: 'ECONNRESET' }), 'SourceUnreachable'],
  [
    'a reset behind another error',
    new Error('append', { cause: Object.assign(new Error(), { code: 'EPIPE' }) }),
    'SourceUnreachable',
  ],
  [
    'a reset behind a VError',
    new VError(Object.assign(new Error('r'), { code: 'ECONNRESET' }), 'x'),
    'SourceUnreachable',
  ],
  ['a connection that stands still', new ImgapiUnreachableError('idle-timeout', 'http://x', 'idle'), 'Stalled'],
  ['500', answered(500), 'SourceError'],
  ['503', answered(503), 'SourceError'],
  ['429', answered(429), 'SourceError'],
  ['401', answered(401), 'SourceUnauthorized'],
  ['403', answered(403), 'SourceInvalid'],
  ['404', answered(404), 'SourceGone'],
  ['412', answered(412), 'SourceChanged'],
  ['416', answered(416), 'WrongBytes'],
  ['422', answered(422), 'SourceInvalid'],
  ['an answer that is none', new SourceInvalidError('not JSON'), 'SourceInvalid'],
  ['more bytes than announced', new TooLargeError(5), 'WrongBytes'],
  ['a full disk', new InsufficientStorageError(2, 1), 'InsufficientStorage'],
  ['a full disk, as the system says it', Object.assign(new Error('full'), { code: 'ENOSPC' }), 'InsufficientStorage'],
  ['objects away', new ObjectStoreUnavailableError('down'), 'StorageIsDown'],
  ['documents away', new StoreUnavailableError('down'), 'StorageIsDown'],
  ['a lost race', new EtagConflictError('b', 'k', null, null), 'Busy'],
  ['another writer', new ApiError('ImageFileBusy', 'busy'), 'Busy'],
  ['what it says itself', new CopyError('NotOwner', 'x'), 'NotOwner'],
  ['a bug', new TypeError('undefined is not a function'), 'InternalError'],
  ['no error at all', 'oops', 'InternalError'],
];

for (const [what, error, code] of CASES) {
  test(`${what} is ${code}: ${FAILURES[code].action}`, async (t) => {
    t.equal(failureOf(error).code, code);
  });
}

test('what is permanent ends at once', async (t) => {
  const failure = { code: 'InsufficientStorage', message: 'full' } as const;
  t.same(verdictOn(failure, RETRY, CONFIG, NOW), { action: 'give-up', failure });
});

test('what may pass is tried again, until no new byte came for too long', async (t) => {
  const failure = { code: 'SourceUnreachable', message: 'no route' } as const;
  const verdict = verdictOn(failure, { ...RETRY, count: 2 }, CONFIG, NOW, () => 0);
  t.match(verdict, { action: 'retry', delay: 4000, retry: { count: 3, not_before: NOW + 4000 } });
  const late = verdictOn(failure, { ...RETRY, last_byte_at: NOW - 86_400_000 }, CONFIG, NOW);
  t.match(late, { action: 'give-up', failure: { code: 'GaveUp', message: /24\.0 h.*no route/ } });
});

test('what is too slow waits longer each time, whatever came, and is given up in the end', async (t) => {
  const failure = { code: 'TooSlow', message: '7 bytes came' } as const;
  const first = verdictOn(failure, RETRY, CONFIG, NOW, () => 0);
  t.match(first, { action: 'retry', delay: 1000, retry: { count: 0, slow: { count: 1, since: NOW } } });
  const slow = { count: 4, since: NOW - 3_600_000 };
  const fifth = verdictOn(failure, { ...RETRY, slow }, CONFIG, NOW, () => 0);
  t.match(fifth, { action: 'retry', delay: 16_000, retry: { slow: { count: 5, since: slow.since } } });
  const late = verdictOn(failure, { ...RETRY, slow: { count: 9, since: NOW - 86_400_000 } }, CONFIG, NOW);
  t.match(late, { action: 'give-up', failure: { code: 'GaveUp', message: /too slow for 24\.0 h.*7 bytes came/ } });
});

test('a wrong file is fetched anew twice, and then it is no accident', async (t) => {
  const failure = { code: 'WrongBytes', message: 'sha1' } as const;
  t.match(verdictOn(failure, RETRY, CONFIG, NOW), { action: 'restart', retry: { bad_hashes: 1 } });
  t.match(verdictOn(failure, { ...RETRY, bad_hashes: 1 }, CONFIG, NOW), { action: 'restart' });
  t.match(verdictOn(failure, { ...RETRY, bad_hashes: 2 }, CONFIG, NOW), {
    action: 'give-up',
    failure: { code: 'HashMismatch' },
  });
});

test('pauses double up to the longest, less up to half of each', async (t) => {
  const delay = { min: 1, max: 60 };
  t.same(
    [1, 2, 3, 6, 7, 100].map((count) => backoff(count, delay, () => 0)),
    [1000, 2000, 4000, 32000, 60000, 60000],
  );
  t.equal(
    backoff(3, delay, () => 0.5),
    3000,
  );
  t.equal(
    backoff(3, delay, () => 1),
    2000,
  );
});

test('of what another side said of a failure, a kilobyte is kept', async (t) => {
  const long = 'ä'.repeat(100_000);
  const errors: readonly unknown[] = [
    new ImgapiError(long, { code: 'Some', statusCode: 500 }),
    new ImgapiUnreachableError('connect', long, long),
    new SourceInvalidError(long),
    new CopyError('SourceChanged', long),
    new VError(new Error(long), 'append'),
    new Error(long, { cause: new SourceInvalidError('x') }),
    long,
  ];
  for (const error of errors) {
    const failure = failureOf(error);
    t.ok(Buffer.byteLength(failure.message) <= 1024, failure.code);
    for (const retry of [
      { ...RETRY, last_byte_at: 0 },
      { ...RETRY, bad_hashes: 9 },
    ]) {
      const verdict = verdictOn(failure, retry, CONFIG, NOW);
      t.ok(Buffer.byteLength(verdict.failure.message) <= 1024, `${failure.code} in the end`);
    }
  }
});
