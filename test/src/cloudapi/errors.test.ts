/** How CloudAPI tells of what was thrown. */
import { test } from 'tap';
import { CLOUDAPI_ERRORS } from '#lib/api/cloudapi/errors.ts';
import { ImgapiError } from '#lib/client/errors.ts';
import { CloudapiError, cloudapiErrors } from '#src/cloudapi/errors.ts';

test('faults are told without their cause, here and in IMGAPI', async (t) => {
  for (const fault of [
    new Error('the cause'),
    new ImgapiError('the cause', { code: 'InternalError', statusCode: 500 }),
  ]) {
    const reply = cloudapiErrors(fault, 'id');
    t.equal(reply.status, 500);
    t.notMatch(JSON.stringify(reply), /the cause/);
    t.match(reply, { json: { code: 'InternalError', message: /request id id$/ } });
  }
});

test('an account that IMGAPI refuses is told so, but not that CloudAPI itself is refused', async (t) => {
  const refusal = { code: 'UnauthorizedError', statusCode: 401 };
  const ofAccount = cloudapiErrors(new ImgapiError('bob does not own it', refusal), 'id');
  t.match(ofAccount, { status: 403, json: { code: 'NotAuthorized', message: 'bob does not own it' } });
  const headers = { 'www-authenticate': 'Signature' };
  const ofCloudapi = cloudapiErrors(new ImgapiError('the request is not signed', { ...refusal, headers }), 'id');
  t.match(ofCloudapi, { status: 503, json: { code: 'ServiceUnavailable', message: /set up wrongly/ } });
  t.notMatch(ofCloudapi.json, { message: /signed|authType/ });
  t.match(ofCloudapi.logged, /set authType to "none"/);
});

test('its own errors have the status that the table says', async (t) => {
  const reply = cloudapiErrors(new CloudapiError('NotAuthorized', 'so'), 'id');
  t.match(reply, { status: CLOUDAPI_ERRORS.NotAuthorized.status, json: { code: 'NotAuthorized', message: 'so' } });
});
