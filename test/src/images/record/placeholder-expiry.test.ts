/** Placeholders of images that were to be made from a machine and never were. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'tap';
import type { ImageRecord } from '#lib/manifest/record.ts';
import { expirePlaceholders } from '#src/images/record/placeholder-expiry.ts';
import { startInProcess } from '../../../helpers/imgapi.ts';
import { waitFor } from '../../../helpers/wait.ts';
import { FILE, imageRecord, putObject, putRecords } from '../../imgapi/fixtures/records.ts';
import { recordOf } from '../fixture.ts';

const PAST = '2020-01-01T00:00:00.000Z';
const FUTURE = '2099-01-01T00:00:00.000Z';

test('a placeholder goes with its bytes when it has expired, and nothing else does', async (t) => {
  const server = await startInProcess(t);
  const { service } = server.imgapi;
  const going: readonly ImageRecord[] = [
    imageRecord('creating', { expires_at: PAST }),
    imageRecord('creating', { expires_at: PAST, type: 'null', os: 'null' }),
    imageRecord('creating', { expires_at: PAST, files: [FILE] }),
    imageRecord('failed', { expires_at: PAST }),
    // As today's IMGAPI has stored it.
    imageRecord('creating', { expires_at: String(Date.parse(PAST)) }),
  ];
  const staying: readonly ImageRecord[] = [
    imageRecord('creating', { expires_at: FUTURE }),
    imageRecord('failed', { expires_at: String(Date.parse(FUTURE)) }),
    imageRecord('creating'),
    imageRecord('failed'),
    // The expiry is forgotten once an image is there.
    ...(['active', 'disabled', 'unactivated'] as const).map((state) => imageRecord(state, { expires_at: PAST })),
    // Copies expire on their own terms.
    ...(['copying', 'failed copy'] as const).map((state) => imageRecord(state, { expires_at: PAST })),
  ];
  await putRecords(service, [...going, ...staying]);
  for (const { uuid } of going) await putObject(service, uuid, 'file0', Buffer.from('left over'));
  // The server's own task may be at work on them already.
  await expirePlaceholders(service);
  await waitFor('the placeholders to go', async () => {
    const left = await Promise.all(going.map(({ uuid }) => recordOf(server, uuid)));
    return left.every((record) => record === undefined);
  });
  for (const { uuid, state, expires_at } of staying) t.ok(await recordOf(server, uuid), `${state} ${expires_at}`);
  for (const { uuid, state } of going) {
    t.strictSame(await readdir(join(server.dataDir, 'images', uuid.slice(0, 3), uuid)).catch(() => []), [], state);
  }
  t.equal(await expirePlaceholders(service), 0);
});
