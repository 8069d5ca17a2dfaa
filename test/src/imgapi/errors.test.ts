/** How IMGAPI tells of what was thrown. */
import { test } from 'tap';
import { ERRORS } from '#lib/api/errors/registry.ts';
import { EtagConflictError, StoreUnavailableError } from '#lib/documents/errors.ts';
import { LeaseLostError } from '#lib/documents/lease.ts';
import { ObjectStoreUnavailableError, SessionGoneError } from '#lib/objects/errors.ts';
import { REQUEST_ERRORS, RequestError, type RequestErrorCode } from '#src/http-kit/request-error.ts';
import { imgapiErrors } from '#src/imgapi/errors.ts';

test('what is wrong with a request as such has the status that the registry says', async (t) => {
  for (const code of Object.keys(REQUEST_ERRORS) as RequestErrorCode[]) {
    const { status, json } = imgapiErrors(new RequestError(code, 'so'), 'id');
    t.equal(status, ERRORS[code].status, code);
    t.match(json, { code, message: 'so' });
  }
});

test('faults are told without their cause', async (t) => {
  const reply = imgapiErrors(new Error('the cause'), 'id');
  t.equal(reply.status, ERRORS.InternalError.status);
  t.notMatch(JSON.stringify(reply), /the cause/);
  t.match(reply.json, { code: 'InternalError', message: /request id id$/ });
});

test('what the stores say is no fault of ours', async (t) => {
  const full = Object.assign(new Error('full'), { name: 'StoreFullError' });
  t.match(imgapiErrors(full, 'id'), { status: 507, json: { code: 'InsufficientStorage' } });
  for (const [error, code] of [
    [new StoreUnavailableError('gone'), 'ServiceUnavailable'],
    [new ObjectStoreUnavailableError('gone'), 'StorageIsDown'],
  ] as const) {
    t.match(imgapiErrors(error, 'id'), { status: 503, json: { code }, headers: { 'Retry-After': /^\d+$/ } });
  }
});

test('strangers are not told where the object store is', async (t) => {
  const error = new ObjectStoreUnavailableError('get: connect ECONNREFUSED 10.0.0.5:7480');
  const message = 'the object store cannot be used: get: connect ECONNREFUSED (hidden)';
  t.match(imgapiErrors(error, 'id').json, { code: 'StorageIsDown', message });
});

test('whoever was too slow is told to try again', async (t) => {
  const slow = [
    new EtagConflictError('images', 'uuid', 'a', 'b'),
    new SessionGoneError('upload'),
    new LeaseLostError('taken'),
  ];
  for (const error of slow) {
    t.match(imgapiErrors(error, 'id'), { status: 409, json: { code: 'Conflict', message: /try again/ } });
  }
});
