/** What the caller is told of another server that failed: when to come again, if that may help. */
import { test } from 'tap';
import type { ApiError } from '#lib/api/errors/api-error.ts';
import { ImgapiError, ImgapiUnreachableError } from '#lib/client/errors.ts';
import { type NamedBy, remoteFailure } from '#src/datacenters/peers/remote-failure.ts';

const answered = (statusCode: number, code: string, retryAfter?: number): ImgapiError =>
  new ImgapiError('so', { statusCode, code, ...(retryAfter !== undefined && { retryAfter }) });
const unreachable = new ImgapiUnreachableError('connect', 'https://other', 'connection refused');
const timeout = new DOMException('too late', 'TimeoutError');

const CASES: readonly [what: string, by: NamedBy, cause: unknown, retryAfter: string | undefined][] = [
  ['that cannot be reached', 'source', unreachable, '5'],
  ['that cannot be reached over its link', 'datacenter', unreachable, '5'],
  ['that does not answer in time', 'url', timeout, '5'],
  ['whose proxy answers for it', 'source', answered(502, 'Http502'), '5'],
  ['whose store is down, of a version that does not say when', 'source', answered(503, 'StorageIsDown'), '5'],
  ['that says when', 'datacenter', answered(503, 'ServerBusy', 20), '20'],
  ['that has the account wait', 'datacenter', answered(429, 'TooManyRequests', 7), '7'],
  ['whose file is damaged', 'datacenter', answered(503, 'FileDamaged'), undefined],
  ['that has no such image', 'source', answered(404, 'ResourceNotFound'), undefined],
  ['that does not accept this datacenter', 'datacenter', answered(401, 'UnauthorizedError'), undefined],
  ['that answers something else', 'source', answered(200, 'InvalidAnswer'), undefined],
];

for (const [what, by, cause, retryAfter] of CASES) {
  test(`the error of a server ${what} says ${retryAfter ? `to come again in ${retryAfter} s` : 'of no time after which it passes'}`, async (t) => {
    const { headers } = remoteFailure(cause, by, 'other') as ApiError;
    t.equal(headers['Retry-After'], retryAfter);
  });
}
