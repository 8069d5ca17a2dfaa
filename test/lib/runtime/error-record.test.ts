import { test } from 'tap';
import { errorRecord } from '#lib/runtime/error-record.ts';

test('the log has the causes of an error, down to the one that names the file', async (t) => {
  const first = Object.assign(new Error("EACCES: permission denied, lstat '/srv/a'"), { code: 'EACCES' });
  const record = errorRecord(new TypeError('outer', { cause: new Error('middle', { cause: first }) }));
  t.match(record, { message: 'outer', name: 'TypeError' });
  t.match(
    (record as Error).stack,
    /^TypeError: outer\n[\s\S]*^Caused by: Error: middle\n[\s\S]*^Caused by: Error: EACCES.*\/srv\/a/m,
  );
});

test('an error that is its own cause, and what is no error, are recorded as well', async (t) => {
  const own = new Error('own');
  own.cause = own;
  t.match(errorRecord(own), { message: 'own' });
  t.match((errorRecord(new Error('x', { cause: 'a text' })) as Error).stack, /Caused by: 'a text'/);
  t.equal(errorRecord('a text'), 'a text');
});
