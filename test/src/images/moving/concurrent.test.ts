/** What happens to an image while it is being moved, and who waits for whom. Each test holds the move in its middle. */
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { type Test, test } from 'tap';
import type { ImgapiClient } from '#lib/client/client.ts';
import { LeaseLostError } from '#lib/documents/lease.ts';
import { imageObjectPath } from '#lib/manifest/object-paths.ts';
import type { ObjectStore, OpenOptions } from '#lib/objects/object-store.ts';
import { FORMER_OBJECTS, removeFormerObjects } from '#src/images/files/former-objects.ts';
import { resumeMoves } from '#src/images/moving/move-image.ts';
import { holdMove, MOVES } from '#src/images/moving/move-note.ts';
import { loadRaw } from '#src/images/record/load.ts';
import { carryOutSweep, planSweep } from '#src/maintenance/sweeper.ts';
import { PULL_LINKS } from '#src/pulls/documents.ts';
import { isReadDirectly } from '#src/pulls/pull-link.ts';
import type { Service } from '#src/service/service.ts';
import { Storages } from '#src/service/storages.ts';
import { storesIn } from '../../../doubles/stores.ts';
import { ADMIN, ALICE } from '../../../helpers/accounts.ts';
import { makeImage, sha1Of } from '../../../helpers/images.ts';
import { type InProcess, startInProcess, temporaryFolder } from '../../../helpers/imgapi.ts';
import { waitFor } from '../../../helpers/wait.ts';
import { assertNothingLeft, fileOf, type Gate, holders, removeFormer, startHeld, storOf } from './fixture.ts';

interface Held {
  readonly server: InProcess;
  readonly gate: Gate;
  readonly operator: ImgapiClient;
  readonly uuid: string;
  readonly bytes: Buffer;
  /** The move to s3, held at its first read. */
  readonly moving: Promise<unknown>;
}

async function heldMove(t: Test, { activate = true } = {}): Promise<Held> {
  const { server, gate } = await startHeld(t, 'manta');
  const operator = server.client();
  const { image, bytes } = await makeImage(operator, {}, { owner: ALICE, activate });
  const { uuid } = image;
  const moving = operator.adminChangeImageStor(uuid, { stor: 's3' }).catch((error: unknown) => error);
  await gate.reached();
  return { server, gate, operator, uuid, bytes, moving };
}

test('who asks for the same move waits for it, and the bytes are copied once', async (t) => {
  const { server, gate, operator, uuid, bytes, moving } = await heldMove(t);
  const again = [1, 2].map(() => operator.adminChangeImageStor(uuid, { stor: 's3' }));
  await t.rejects(operator.adminChangeImageStor(uuid, { stor: 'local' }), {
    code: 'ImageFileBusy',
    statusCode: 409,
    message: /is being moved to "s3" right now/,
  });
  gate.open();
  for (const moved of [moving, ...again]) t.match(await moved, { files: [{ stor: 's3' }] });
  t.equal(gate.reads, 1);
  t.ok((await fileOf(server, uuid)).equals(bytes));
  await assertNothingLeft(t, server);
});

test('the move goes on when the client leaves', async (t) => {
  const { server, gate } = await startHeld(t, 'manta');
  const { image } = await makeImage(server.client(), {}, { owner: ALICE });
  const leaving = new AbortController();
  const client = server.client();
  const asked = client.adminChangeImageStor(image.uuid, { stor: 's3', signal: leaving.signal });
  await gate.reached();
  leaving.abort();
  await t.rejects(asked);
  gate.open();
  await waitFor('the image to be moved', async () => (await storOf(server, image.uuid)) === 's3');
  await waitFor('the end of the move', async () => (await server.imgapi.service.store.count(MOVES)) === 0);
  await assertNothingLeft(t, server);
});

test('an update, a share and an activation on the way are kept', async (t) => {
  const { server, gate, operator, uuid, bytes, moving } = await heldMove(t, { activate: false });
  await operator.updateImage(uuid, { description: 'changed on the way' });
  await operator.activateImage(uuid);
  gate.open();
  t.match(await moving, {
    files: [{ stor: 's3', sha1: sha1Of(bytes) }],
    description: 'changed on the way',
    state: 'active',
  });
  await removeFormer(server);
  t.strictSame(await holders(server, uuid), ['s3']);
});

test('an image that is deleted on the way is gone, and so are the bytes that were copied', async (t) => {
  const { server, gate, operator, uuid, moving } = await heldMove(t);
  await operator.deleteImage(uuid);
  gate.open();
  t.match(await moving, { statusCode: /404|503/ });
  t.strictSame(await holders(server, uuid), []);
  await assertNothingLeft(t, server);
  t.equal(await loadRaw(server.imgapi.service, uuid), undefined);
});

test('a file that is replaced on the way is the one that is moved', async (t) => {
  const { server, gate, operator, uuid, moving } = await heldMove(t, { activate: false });
  const bytes = randomBytes(5000);
  await operator.addImageFile(uuid, Readable.from([bytes]), { compression: 'none', storage: 'manta', size: 5000 });
  gate.open();
  t.match(await moving, { files: [{ stor: 's3', sha1: sha1Of(bytes) }] });
  t.ok((await fileOf(server, uuid)).equals(bytes));
  await removeFormer(server);
  t.strictSame(await holders(server, uuid), ['s3']);
  await assertNothingLeft(t, server);
});

test('a file that is put into the other store on the way needs no move', async (t) => {
  const { server, gate, operator, uuid, moving } = await heldMove(t, { activate: false });
  const bytes = randomBytes(5000);
  await operator.addImageFile(uuid, Readable.from([bytes]), { compression: 'none', storage: 's3', size: 5000 });
  gate.open();
  t.match(await moving, { files: [{ stor: 's3', sha1: sha1Of(bytes) }] });
  t.ok((await fileOf(server, uuid)).equals(bytes));
  await removeFormer(server);
  t.strictSame(await holders(server, uuid), ['s3']);
});

test('a server that stops answers 503, and the next one finishes the move with the bytes that are there', async (t) => {
  const folder = await temporaryFolder(t);
  const dataDir = `${folder}/data`;
  let delivered = 0;
  let isHeld = true;
  /** Delivers half of the file and then nothing more. */
  const halting = (store: ObjectStore): ObjectStore =>
    new Proxy(store, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key);
        if (typeof value !== 'function') return value;
        if (key !== 'read' || store.name !== 'manta') return value.bind(target);
        return async (path: string, options: { start?: number; signal?: AbortSignal } = {}) => {
          const { info, stream } = await target.read(path, options);
          if (!path.startsWith('images/')) return { info, stream };
          if (!isHeld) {
            delivered = options.start ?? 0;
            return { info, stream };
          }
          return { info, stream: Readable.from(half(stream, info.size / 2, options.signal)) };
        };
      },
    });
  async function* half(stream: AsyncIterable<Uint8Array>, limit: number, signal?: AbortSignal) {
    for await (const piece of stream) {
      yield piece;
      delivered += piece.length;
      if (delivered >= limit) {
        await new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
      }
    }
  }
  const stores = storesIn(`${folder}/shared`, ['local', 'manta', 's3'], halting);
  const first = await startInProcess(t, {}, { dataDir, stores });
  const { image, bytes } = await makeImage(first.client(), {}, { owner: ALICE, size: 4_000_000 });
  const moving = first.client().adminChangeImageStor(image.uuid, { stor: 's3' });
  const answer = t.rejects(moving, { statusCode: 503, code: 'ServiceUnavailable', message: /this server is stopping/ });
  await waitFor('half of the file', () => delivered >= 2_000_000);
  await first.imgapi.close({ patience: 5000 });
  await answer;
  isHeld = false;
  const second = await startInProcess(t, {}, { dataDir, stores });
  await waitFor('the move to be finished', async () => (await storOf(second, image.uuid)) === 's3');
  t.ok(delivered >= 2_000_000, `it went on at byte ${delivered}`);
  t.ok((await fileOf(second, image.uuid)).equals(bytes));
  await waitFor('the end of the move', async () => (await second.imgapi.service.store.count(MOVES)) === 0);
  await assertNothingLeft(t, second);
});

test('bytes of an abandoned move are not swept, unless it is given up', async (t) => {
  const { server } = await startHeld(t, 'nothing');
  const { service } = server.imgapi;
  const { image } = await makeImage(server.client(), {}, { owner: ALICE });
  const s3 = service.storages.named('s3');
  const writer = await s3.open({ path: imageObjectPath(image.uuid, 'file0'), session: 'move.half' });
  await writer.append(Readable.from([Buffer.from('half')]));
  await writer.close();
  // With its lease in the hands of another process, nobody goes on.
  const other = { ...service, worker: 'another process' };
  const move = await holdMove(other, image.uuid, 's3');
  await move?.stage({ session: 'move.half', path: imageObjectPath(image.uuid, 'file0') });
  const sweep = async () => {
    const plan = await planSweep(service, { eager: true });
    return (await carryOutSweep(service, plan)).sessions.map(({ session }) => session);
  };
  t.strictSame(await sweep(), []);
  await move?.release(true);
  await waitFor('the sweep', async () => (await sweep()).includes('move.half'));
  t.strictSame(await s3.sessions(), []);
});

test('a move is given up by whoever lost its lease', async (t) => {
  const { server } = await startHeld(t, 'nothing');
  const { service } = server.imgapi;
  const { image } = await makeImage(server.client(), {}, { owner: ALICE });
  const first = await holdMove({ ...service, worker: 'first' }, image.uuid, 's3');
  t.equal(await holdMove({ ...service, worker: 'second' }, image.uuid, 's3'), undefined);
  await first?.release(false);
  const second = await holdMove({ ...service, worker: 'second' }, image.uuid, 's3');
  t.ok(second);
  await t.rejects(first?.stage({ session: 'x', path: 'y' }) ?? Promise.resolve(), LeaseLostError);
  await second?.release(true);
  t.equal(await service.store.count(MOVES), 0);
});

test('a move whose store is not there any more, or whose image is gone, is forgotten', async (t) => {
  const { server } = await startHeld(t, 'nothing');
  const { service } = server.imgapi;
  const { image } = await makeImage(server.client(), {}, { owner: ALICE });
  const manta = service.storages.named('manta');
  const withoutS3: Service = { ...service, storages: new Storages(service.config, manta) };
  await (await holdMove({ ...service, worker: 'dead' }, image.uuid, 's3'))?.release(false);
  await waitFor('it to be forgotten', async () => {
    await resumeMoves(withoutS3, AbortSignal.timeout(10_000)).catch(() => undefined);
    return (await service.store.count(MOVES)) === 0;
  });
});

test('bytes that a URL of a pull reads directly stay until the URL has expired', async (t) => {
  const { server } = await startHeld(t, 'nothing');
  const { service } = server.imgapi;
  const operator = server.client();
  const { image, bytes } = await makeImage(operator, {}, { owner: ADMIN });
  const path = imageObjectPath(image.uuid, 'file0');
  const { reqid } = await operator.createImageFilePullUrl(image.uuid);
  const link = await service.store.get(PULL_LINKS, reqid);
  if (!link) throw new Error('no pull link');
  // As in a store that gives no second names.
  await service.store.batch([
    { op: 'put', bucket: PULL_LINKS, key: reqid, value: { ...link.value, direct: true, path } },
  ]);
  await operator.adminChangeImageStor(image.uuid, { stor: 's3' });
  const remove = () => removeFormerObjects(service, (uuid, object) => isReadDirectly(service, uuid, object));
  await remove();
  t.strictSame(await holders(server, image.uuid), ['local', 's3']);
  const expires = new Date(service.store.now() - 1).toISOString();
  await service.store.batch([
    { op: 'put', bucket: PULL_LINKS, key: reqid, value: { ...link.value, direct: true, path, expires } },
  ]);
  await removeFormer(server);
  t.strictSame(await holders(server, image.uuid), ['s3']);
  t.ok((await fileOf(server, image.uuid)).equals(bytes));
});

test('a pull URL that was given out before reads on from its own name', async (t) => {
  const { server } = await startHeld(t, 'nothing');
  const operator = server.client();
  const { image } = await makeImage(operator, {}, { owner: ADMIN });
  const { reqid } = await operator.createImageFilePullUrl(image.uuid);
  await operator.adminChangeImageStor(image.uuid, { stor: 's3' });
  await removeFormer(server);
  const record = (await server.imgapi.service.store.get(PULL_LINKS, reqid))?.value;
  t.match(record, { stor: 'local', direct: false });
  t.ok(await server.imgapi.service.storages.named('local').info(record?.path ?? ''));
  const renewed = await operator.createImageFilePullUrl(image.uuid, { renew: reqid });
  t.equal(renewed.reqid, reqid);
});

test('a commit may take longer than the lease of its intent, which is renewed for as long', async (t) => {
  let finish = (): void => undefined;
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  /** Commits nothing before it is told to. */
  const slow = (store: ObjectStore): ObjectStore =>
    new Proxy(store, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key);
        if (typeof value !== 'function') return value;
        if (key !== 'open' || store.name !== 's3') return value.bind(target);
        return async (options: OpenOptions) => {
          const session = await target.open(options);
          if (!options.path.startsWith('images/')) return session;
          const commit = session.commit.bind(session);
          return Object.assign(session, { commit: () => finished.then(commit) });
        };
      },
    });
  const folder = await temporaryFolder(t);
  const stores = storesIn(`${folder}/shared`, ['local', 'manta', 's3'], slow);
  const server = await startInProcess(t, {}, { dataDir: `${folder}/data`, stores });
  const { image } = await makeImage(server.client(), {}, { owner: ALICE });
  const moving = server.client().adminChangeImageStor(image.uuid, { stor: 's3' });
  const lease = async () => (await loadRaw(server.imgapi.service, image.uuid))?.value.intent_lease;
  const first = await waitFor('the intent', lease);
  await waitFor('another lease', async () => ((await lease()) ?? first) > first);
  finish();
  t.match(await moving, { files: [{ stor: 's3' }] });
});

test('nobody places bytes where a store is still removing former ones, however long that takes', async (t) => {
  let finish = (): void => undefined;
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  let isRemoving = false;
  /** Removes nothing before it is told to. */
  const slow = (store: ObjectStore): ObjectStore =>
    new Proxy(store, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key);
        if (typeof value !== 'function') return value;
        if (key !== 'remove' || store.name !== 'local') return value.bind(target);
        return async (path: string) => {
          if (path.startsWith('images/')) {
            isRemoving = true;
            await finished;
          }
          return target.remove(path);
        };
      },
    });
  const folder = await temporaryFolder(t);
  const stores = storesIn(`${folder}/shared`, ['local', 'manta', 's3'], slow);
  const server = await startInProcess(t, {}, { dataDir: `${folder}/data`, stores });
  t.teardown(() => finish());
  const { service } = server.imgapi;
  const operator = server.client();
  const { image, bytes } = await makeImage(operator, {}, { owner: ADMIN });
  const { uuid } = image;
  await operator.adminChangeImageStor(uuid, { stor: 's3' });
  const removing = removeFormerObjects(service, async () => false);
  await waitFor('the removal', () => isRemoving);
  const lease = async () => (await service.store.get(FORMER_OBJECTS, uuid))?.value.lease?.until;
  const first = await waitFor('the lease', lease);
  // Another former object, which is noted beside the one that is being removed.
  await operator.adminChangeImageStor(uuid, { stor: 'manta' });
  const back = () => operator.adminChangeImageStor(uuid, { stor: 'local' });
  await t.rejects(back(), { statusCode: 409, code: 'ImageFileBusy', message: /are being removed/ });
  await waitFor('another lease', async () => ((await lease()) ?? first) > first);
  finish();
  await removing;
  t.match(await back(), { files: [{ stor: 'local' }] });
  await removeFormer(server);
  t.strictSame(await holders(server, uuid), ['local']);
  t.ok((await fileOf(server, uuid)).equals(bytes));
});
