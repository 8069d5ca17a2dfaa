/** An upload into a store that takes bytes more slowly than they come. */
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { test } from 'tap';
import { pause } from '#lib/runtime/timers.ts';
import { startS3Double } from '../../../doubles/s3/server.ts';
import { ALICE } from '../../../helpers/accounts.ts';
import { MANIFEST, sha1Of } from '../../../helpers/images.ts';
import { startInProcess } from '../../../helpers/imgapi.ts';

const MIB = 1024 * 1024;
const IDLE_SECONDS = 1;

test('a client is not told that it sent nothing while the store takes nothing', async (t) => {
  const double = await startS3Double();
  t.teardown(() => double.close());
  const { endpoint, bucketName: bucket, credentials } = double;
  const s3 = { endpoint, region: 'us-east-1', bucket, prefix: 'x/dc', ...credentials };
  const server = await startInProcess(t, {
    storageTypes: ['s3'],
    s3: { ...s3, partBytes: 5 * MIB, bufferBytes: 10 * MIB },
    uploads: { idleSeconds: IDLE_SECONDS },
  });
  const alice = server.client({ account: ALICE });
  const bytes = randomBytes(18 * MIB);
  const { uuid } = await alice.createImage(MANIFEST);
  double.faults.plan('UploadPart', { kind: 'wait', until: pause(2 * IDLE_SECONDS * 1000) }, 4);
  const { files } = await alice.addImageFile(uuid, Readable.from([bytes]), { compression: 'none', size: bytes.length });
  t.equal(files[0]?.sha1, sha1Of(bytes));
});
