/** Whose fault it is that bytes did not come through: that of whoever sends them, or that of the store. */
import { test } from 'tap';
import { ObjectStoreUnavailableError } from '#lib/objects/errors.ts';
import { s3Error } from '#lib/objects/s3/s3-error.ts';
import { storageProblem } from '#src/images/files/upload.ts';

const TARGET = { what: 'file0', mismatch: 'Download', allowEmpty: false } as const;

function reset(): Error {
  return Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
}

test('a client whose connection is reset has cut its file off', async (t) => {
  t.match(storageProblem(TARGET, {}, reset()), { code: 'Download', message: 'file0 was cut off' });
});

test('a store whose connection is reset is down, and the client has done nothing wrong', async (t) => {
  const ofStore = s3Error('UploadPart', reset());
  t.match(ofStore, { code: 'ECONNRESET' });
  t.type(ofStore, ObjectStoreUnavailableError);
  t.equal(storageProblem(TARGET, {}, ofStore), ofStore);
});
