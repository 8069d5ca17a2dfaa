/** An image that is not activated gets another UUID by an update. */
import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import t, { type Test } from 'tap';
import { IMAGES } from '#lib/manifest/record.ts';
import { updateImage } from '#src/images/update.ts';
import type { FaultPoint } from '#src/service/fault-points.ts';
import { ALICE } from '../../../helpers/accounts.ts';
import { makeImage, sha1Of } from '../../../helpers/images.ts';
import { startInProcess } from '../../../helpers/imgapi.ts';
import { sha1Served } from '../../../helpers/invariants.ts';
import { asker } from '../../imgapi/fixtures/ask.ts';
import { imageRecord, putRecords } from '../../imgapi/fixtures/records.ts';
import { recordOf, refusal } from '../fixture.ts';

const server = await startInProcess(t);
const { service } = server.imgapi;
const operator = server.client();
const alice = server.client({ account: ALICE });
const ask = asker(t, server.url);
const PNG = Buffer.from('89504e470d0a1a0a', 'hex');

const make = (fields: object = {}) => makeImage(operator, fields, { owner: ALICE, activate: false });

/** No record, and no bytes under its name. */
async function assertGone(t: Test, uuid: string): Promise<void> {
  t.equal(await recordOf(server, uuid), undefined);
  t.strictSame(await readdir(join(server.dataDir, 'images', uuid.slice(0, 3), uuid)).catch(() => []), []);
}

async function assertWhole(t: Test, uuid: string, bytes: Buffer): Promise<void> {
  t.equal((await operator.getImage(uuid)).uuid, uuid);
  t.equal(await sha1Served(operator, uuid), sha1Of(bytes));
  t.notOk((await recordOf(server, uuid))?.intent);
}

t.test(
  'the image is there under its new UUID, with its file, icon and shares, and not under the old one',
  async (t) => {
    const { image: origin } = await makeImage(operator, {}, { owner: ALICE });
    const { image, bytes } = await make({ tags: { a: 1 }, origin: origin.uuid });
    await operator.addImageIcon(image.uuid, PNG, 'image/png');
    await operator.addImageAcl(image.uuid, ['nobody-yet']);
    const roles = [randomUUID()];
    await operator.setRoleTags(ALICE, { roles }, { resource: `/images/${image.uuid}` });
    const before = await operator.getImage(image.uuid);
    const to = randomUUID();
    const answer = await ask(`/images/${image.uuid}?action=update`, {
      method: 'POST',
      json: { uuid: to, description: 'built' },
      headers: { 'accept-version': '~3' },
    });
    t.equal(answer.status, 200, answer.text);
    t.strictSame(answer.json, { ...before, uuid: to, description: 'built' });
    t.equal(
      answer.headers['etag'],
      (await ask(`/images/${to}`, { headers: { 'accept-version': '~3' } })).headers['etag'],
    );
    await assertWhole(t, to, bytes);
    t.strictSame((await ask(`/images/${to}/icon`)).bytes, PNG);
    for (const [uuid, tagged] of [
      [to, roles],
      [image.uuid, []],
    ] as const) {
      t.strictSame((await operator.getRoleTags(ALICE, { resource: `/images/${uuid}` })).roles, tagged);
    }
    t.match(await refusal(operator.getImage(image.uuid)), { status: 404 });
    await assertGone(t, image.uuid);
    t.match(await refusal(operator.deleteImage(origin.uuid)), { code: 'ImageHasDependentImages' });
    t.equal((await operator.activateImage(to)).state, 'active');
  },
);

t.test('an image without a file gets another UUID as well, and back', async (t) => {
  const { uuid } = await operator.createImage({ name: 'x', version: '1', type: 'docker', os: 'linux', owner: ALICE });
  const to = randomUUID();
  t.equal((await operator.updateImage(uuid, { uuid: to })).uuid, to);
  t.equal((await operator.updateImage(to, { uuid })).uuid, uuid);
  t.equal((await operator.updateImage(uuid, { uuid, name: 'y' })).name, 'y', 'the same one is no change');
  await assertGone(t, to);
});

t.test('who may not, and what stands against it', async (t) => {
  const { image } = await make();
  const { image: other } = await make();
  const { image: active } = await makeImage(operator, {}, { owner: ALICE });
  const to = randomUUID();
  const parent = imageRecord('unactivated');
  const twoFiles = imageRecord('unactivated', { type: 'lxd', files: [] });
  const files = imageRecord('active').files!;
  await putRecords(service, [
    parent,
    imageRecord('unactivated', { origin: parent.uuid }),
    { ...twoFiles, files: [...files, ...files] },
  ]);
  const rows: readonly (readonly [string, () => Promise<unknown>, object])[] = [
    ['an account', () => alice.updateImage(image.uuid, { uuid: to }), { code: 'ValidationFailed', fields: ['uuid'] }],
    [
      'an account, a UUID that is taken',
      () => alice.updateImage(image.uuid, { uuid: other.uuid }),
      { fields: ['uuid'] },
    ],
    [
      'activated',
      () => operator.updateImage(active.uuid, { uuid: to }),
      { code: 'ValidationFailed', fields: ['uuid'] },
    ],
    ['no UUID', () => operator.updateImage(image.uuid, { uuid: 'x' }), { code: 'ValidationFailed', fields: ['uuid'] }],
    ['upper case', () => operator.updateImage(image.uuid, { uuid: to.toUpperCase() }), { fields: ['uuid'] }],
    [
      'taken',
      () => operator.updateImage(image.uuid, { uuid: other.uuid }),
      { status: 409, code: 'ImageUuidAlreadyExists' },
    ],
    ['another field is wrong', () => operator.updateImage(image.uuid, { uuid: to, name: '!' }), { fields: ['name'] }],
    ['two files', () => operator.updateImage(twoFiles.uuid, { uuid: to }), { status: 400, code: 'NotImplemented' }],
    [
      'an origin',
      () => operator.updateImage(parent.uuid, { uuid: to }),
      { status: 422, code: 'ImageHasDependentImages' },
    ],
  ];
  for (const [what, call, expected] of rows) t.match(await refusal(call()), expected, what);
  const headers = { 'if-match': '"another"' };
  const guarded = await ask(`/images/${image.uuid}?action=update`, { method: 'POST', json: { uuid: to }, headers });
  t.equal(guarded.status, 412);
  t.equal((await operator.getImage(image.uuid)).uuid, image.uuid);
  await assertGone(t, to);
});

/** The update, with something done at a point of it. */
function renaming(uuid: string, to: string, point: FaultPoint, meanwhile: () => Promise<unknown>): Promise<unknown> {
  let isFirst = true;
  const faults = {
    async reach(passed: FaultPoint) {
      if (passed !== point || !isFirst) return;
      isFirst = false;
      await meanwhile();
    },
  };
  const viewer = { account: undefined };
  const { signal } = new AbortController();
  const beforeRename = async () => {};
  return updateImage({ ...service, faults }, { uuid, viewer, body: { uuid: to }, version: 2, signal, beforeRename });
}

for (const point of ['rename:reserved', 'rename:placed'] as const) {
  t.test(`an import that takes the UUID meanwhile has it (${point})`, async (t) => {
    const { image, bytes } = await make();
    const to = randomUUID();
    const theirs = { v: 2, uuid: to, name: 'theirs', version: '1', type: 'other', os: 'other', owner: ALICE };
    const meanwhile = async (): Promise<void> => {
      await operator.adminImportImage(theirs);
      await operator.addImageFile(to, Readable.from([Buffer.from('theirs')]), { compression: 'none' });
    };
    await t.rejects(renaming(image.uuid, to, point, meanwhile), { code: 'Conflict' });
    await assertWhole(t, image.uuid, bytes);
    await assertWhole(t, to, Buffer.from('theirs'));
  });

  t.test(`an image that gets another file meanwhile keeps its UUID and that file (${point})`, async (t) => {
    const { image } = await make();
    const to = randomUUID();
    const upload = () =>
      operator.addImageFile(image.uuid, Readable.from([Buffer.from('newer')]), { compression: 'none' });
    await t.rejects(renaming(image.uuid, to, point, upload), { code: 'ImageFileBusy' });
    await assertWhole(t, image.uuid, Buffer.from('newer'));
    await assertGone(t, to);
  });

  t.test(`an image that is activated or deleted meanwhile does not come back (${point})`, async (t) => {
    const [{ image: activated, bytes }, { image: deleted }] = [await make(), await make()];
    const to = randomUUID();
    await t.rejects(
      renaming(activated.uuid, to, point, () => operator.activateImage(activated.uuid)),
      {
        code: 'ValidationFailed',
      },
    );
    await assertWhole(t, activated.uuid, bytes);
    await t.rejects(
      renaming(deleted.uuid, to, point, () => operator.deleteImage(deleted.uuid)),
      {
        code: 'ResourceNotFound',
      },
    );
    await assertGone(t, deleted.uuid);
    await assertGone(t, to);
  });
}

t.test('a second update to a UUID that is about to be taken leaves the first one alone', async (t) => {
  const [one, other] = [await make(), await make()];
  const to = randomUUID();
  let refused: unknown;
  await renaming(one.image.uuid, to, 'rename:reserved', async () => {
    refused = await refusal(operator.updateImage(other.image.uuid, { uuid: to }));
  });
  t.match(refused, { status: 409, code: 'ImageUuidAlreadyExists' });
  await assertWhole(t, to, one.bytes);
  await assertWhole(t, other.image.uuid, other.bytes);
});

t.test('of two updates to one UUID, one is made', async (t) => {
  const [one, other] = [await make(), await make()];
  const to = randomUUID();
  const calls = await Promise.allSettled(
    [one, other].map(({ image }) => operator.updateImage(image.uuid, { uuid: to })),
  );
  t.equal(calls.filter(({ status }) => status === 'fulfilled').length, 1);
  const [winner, loser] = calls[0]?.status === 'fulfilled' ? [one, other] : [other, one];
  await assertWhole(t, to, winner.bytes);
  await assertWhole(t, loser.image.uuid, loser.bytes);
  await assertGone(t, winner.image.uuid);
});

t.test('while a file is on its way the UUID stays', async (t) => {
  const { image } = await make();
  let isBusy = false;
  const slowly = async function* (): AsyncGenerator<Buffer> {
    yield Buffer.from('some');
    const refused = await refusal(operator.updateImage(image.uuid, { uuid: randomUUID() }));
    isBusy = refused.code === 'ImageFileBusy';
    yield Buffer.from('more');
  };
  await operator.addImageFile(image.uuid, Readable.from(slowly()), { compression: 'none' });
  t.ok(isBusy);
});

t.test('nothing is left of it', async (t) => {
  const found = await service.store.find(IMAGES, { filter: { op: 'eq', field: 'state', value: 'deleting' } });
  t.strictSame(found, []);
  t.strictSame(await service.storages.named('local').sessions(), []);
});
