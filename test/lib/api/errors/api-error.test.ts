/** Errors that IMGAPI answers with. */
import { test } from 'tap';
import { ApiError } from '#lib/api/errors/api-error.ts';
import { ERRORS, type ErrorCode } from '#lib/api/errors/registry.ts';

test('an error that ends by itself says when to come again, by itself or as it is told', async (t) => {
  for (const code of ['StorageIsDown', 'ServiceUnavailable', 'ServerBusy'] as const) {
    t.equal(new ApiError(code, 'so').headers['Retry-After'], '5', code);
    t.equal(new ApiError(code, 'so', { headers: { 'Retry-After': '9' } }).headers['Retry-After'], '9', code);
  }
});

test('an error that somebody has to mend does not', async (t) => {
  const lasting = (Object.keys(ERRORS) as ErrorCode[]).filter((code) => !('passes' in ERRORS[code]));
  t.ok(lasting.includes('FileDamaged') && lasting.includes('StorageUnsupported'));
  for (const code of lasting) t.equal(new ApiError(code, 'so').headers['Retry-After'], undefined, code);
});
