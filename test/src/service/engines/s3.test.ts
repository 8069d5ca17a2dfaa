/** A service that keeps its files in S3: what it does with them, and what it says at the start if it cannot. */
import { type Test, test } from 'tap';
import { imageObjectPath } from '#lib/manifest/object-paths.ts';
import { startS3Double } from '../../../doubles/s3/server.ts';
import { s3For } from '../../../engines/s3.ts';
import { ALICE } from '../../../helpers/accounts.ts';
import { bytesOf } from '../../../helpers/datacenter.ts';
import { makeImage } from '../../../helpers/images.ts';
import { startInProcess } from '../../../helpers/imgapi.ts';

test('an account keeps its images in the bucket, and nothing else stays there', async (t) => {
  const { keys, server, prefix } = await s3For(t);
  const imgapi = await startInProcess(t, keys);
  const alice = imgapi.client({ account: ALICE });
  for (const size of [100_000, 11 * 1024 ** 2]) {
    const { image, bytes } = await makeImage(alice, {}, { size });
    const key = `${prefix}/${imageObjectPath(image.uuid, 'file0')}`;
    t.strictSame(await server.keys(`${prefix}/images/`), [key]);
    const { stream } = await alice.getImageFile(image.uuid);
    t.ok((await bytesOf(stream)).equals(bytes), `${size} bytes`);
    await alice.deleteImage(image.uuid);
    t.strictSame(await server.keys(`${prefix}/images/`), []);
  }
});

test('what an operator has to mend is said at the start, by its key, without the secret', async (t) => {
  const { keys } = await s3For(t);
  const starts = (change: object) => startInProcess(t, { ...keys, s3: { ...keys.s3, ...change } });
  const secretAccessKey = 'wrong/secret';
  await refused(t, starts({ secretAccessKey }), /^configuration: s3\.secretAccessKey: the secret access key is not/);
  await refused(
    t,
    starts({ accessKeyId: 'AKIAWRONG' }),
    /^configuration: s3\.accessKeyId: the object store does not know/,
  );
  await refused(t, starts({ bucket: 'nowhere' }), /^configuration: s3\.bucket: the bucket does not exist/);
  const noSecret = { ...keys, s3: { ...keys.s3, secretAccessKey: undefined } };
  await refused(t, startInProcess(t, noSecret), /s3\.accessKeyId, s3\.secretAccessKey: only one is given/);
  await refused(t, startInProcess(t, { storageTypes: ['s3'] }), /s3: missing; storageTypes names it/);
  await refused(t, starts({ partBytes: 1 }), /s3\.partBytes: 1 is not right; it must be a whole number of bytes from/);
});

test('a clock that is wrong is named', async (t) => {
  const double = await startS3Double();
  t.teardown(() => double.close());
  const { endpoint, bucketName: bucket, credentials } = double;
  const start = () => startInProcess(t, { storageTypes: ['local', 's3'], s3: { endpoint, bucket, ...credentials } });
  double.clockAhead = 47 * 60_000;
  await refused(t, start(), /the clock: this machine's clock is 47 minutes behind the object store's/);
  double.clockAhead = -10 * 60_000;
  await refused(t, start(), /the clock: this machine's clock is 10 minutes ahead of the object store's/);
});

async function refused(t: Test, start: Promise<unknown>, message: RegExp): Promise<void> {
  const error: unknown = await start.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  t.match(error, { name: 'ConfigError', message });
  t.notMatch(String(error), /wrong\/secret|a\/secret/);
}
