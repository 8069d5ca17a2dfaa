/** Files that nobody has read since they came by a link, in the place of others that were there a moment ago. */
import { randomBytes } from 'node:crypto';
import { type Test, test } from 'tap';
import { updateObject } from '#lib/documents/update.ts';
import { imageObjectPath } from '#lib/manifest/object-paths.ts';
import { IMAGES } from '#lib/manifest/record.ts';
import { createPullUrl } from '#src/pulls/create-pull-url.ts';
import { sha1Of } from '../../helpers/images.ts';
import { type InProcess, startInProcess } from '../../helpers/imgapi.ts';
import { waitFor } from '../../helpers/wait.ts';
import { recordOf, send } from '../images/fixture.ts';
import { BYTES, FILE, imageRecord, putObject, putRecords } from './fixtures/records.ts';

/** Puts a copy by a link in the place of the image's file: bytes that nobody has read. */
async function replaced(server: InProcess, uuid: string, bytes: Buffer, sha1: string): Promise<void> {
  const { service } = server.imgapi;
  await service.storages.named('local').remove(imageObjectPath(uuid, 'file0'));
  await putObject(service, uuid, 'file0', bytes);
  await updateObject(service.store, IMAGES, uuid, (record) => ({
    ...record,
    files: [{ ...FILE, sha1, size: bytes.length, mtime: new Date().toISOString() }],
    unread: [0],
    rev: (record.rev ?? 0) + 1,
  }));
}

async function servedImage(t: Test): Promise<{ server: InProcess; uuid: string }> {
  const server = await startInProcess(t);
  const record = imageRecord('active', {});
  await putRecords(server.imgapi.service, [record]);
  await putObject(server.imgapi.service, record.uuid, 'file0', BYTES);
  return { server, uuid: record.uuid };
}

test('whoever waited for a file to be read, which was replaced meanwhile, waits for the other one as well', async (t) => {
  const { server, uuid } = await servedImage(t);
  const local = server.imgapi.service.storages.named('local');
  const hash = local.hash.bind(local);
  const { promise: held, resolve: release } = Promise.withResolvers<void>();
  let isReading = false;
  local.hash = async (...args) => {
    const hashes = await hash(...args);
    isReading = true;
    await held;
    return hashes;
  };
  await replaced(server, uuid, BYTES, FILE.sha1);
  const asked = send(server.url, { path: `/images/${uuid}/file` });
  await waitFor('the file to be read', () => isReading);
  await replaced(server, uuid, randomBytes(500), sha1Of(randomBytes(500)));
  release();
  t.match(await asked, { status: 503, json: { code: 'FileDamaged' } });
  t.match(await recordOf(server, uuid), { quarantined: [0] });
});

test("an operator's pull URL leads to no bytes of a later copy that nobody has read", async (t) => {
  const { server, uuid } = await servedImage(t);
  const request = { uuid, index: 0, account: undefined, requestId: '', baseUrl: server.url };
  const { pathname, search } = new URL((await createPullUrl(server.imgapi.service, request)).url);
  const read = (): ReturnType<typeof send> => send(server.url, { path: pathname + search });
  await replaced(server, uuid, randomBytes(BYTES.length), FILE.sha1);
  t.match(await read(), { status: 503, json: { code: 'FileDamaged' } });
  await replaced(server, uuid, BYTES, FILE.sha1);
  await updateObject(server.imgapi.service.store, IMAGES, uuid, ({ quarantined: _, ...record }) => ({
    ...record,
    rev: (record.rev ?? 0) + 1,
  }));
  t.equal(sha1Of((await read()).bytes), FILE.sha1);
  t.equal((await recordOf(server, uuid))?.unread, undefined);
});
