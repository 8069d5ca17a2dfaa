/** ExportImage: an image as two objects in somebody's Manta. */
import { randomBytes } from 'node:crypto';
import { type Test, test } from 'tap';
import { imageObjectPath } from '#lib/manifest/object-paths.ts';
import { changeRecord } from '#src/images/record/change.ts';
import { MANTA_MODES, type MantaFor, mantaFor } from '../../engines/manta.ts';
import { ADMIN, ALICE, BOB } from '../../helpers/accounts.ts';
import { putObject } from '../../helpers/datacenter.ts';
import { makeImage, sha1Of } from '../../helpers/images.ts';
import { type InProcess, startInProcess } from '../../helpers/imgapi.ts';

interface Exporting {
  readonly server: InProcess;
  readonly double: MantaFor['double'];
}

async function start(t: Test, mode = MANTA_MODES['Manta v2']): Promise<Exporting> {
  const { double, keys } = await mantaFor(t, mode);
  return { server: await startInProcess(t, keys), double };
}

/** All objects of Alice's area. */
function areaOf({ double }: Exporting): string[] {
  return double.tree.all().filter((path) => path.startsWith('/alice/') && !path.endsWith('/'));
}

function bytesAt({ double }: Exporting, path: string): Buffer {
  const found = double.tree.find(path.split('/').slice(1));
  if (found?.kind !== 'object') throw new Error(`no object at ${path}`);
  return found.bytes;
}

for (const [name, mode] of Object.entries(MANTA_MODES)) {
  test(`${name}: an image of Manta, and one of local files, go to the account's own area`, async (t) => {
    const at = await start(t, mode as (typeof MANTA_MODES)['Manta v2']);
    const { server } = at;
    const alice = server.client({ account: ALICE });
    for (const storage of ['manta', 'local']) {
      const { image, bytes } = await makeImage(alice, { version: storage }, { size: 300_000 });
      await server.client().adminChangeImageStor(image.uuid, { stor: storage });
      const exported = await alice.exportImage(image.uuid, { manta_path: `/alice/stor/${storage}` });
      const base = `/alice/stor/${storage}`;
      t.strictSame(exported, {
        manta_url: at.double.url,
        image_path: `${base}.zfs`,
        manifest_path: `${base}.imgmanifest`,
      });
      t.equal(sha1Of(bytesAt(at, `${base}.zfs`)), sha1Of(bytes));
      const text = bytesAt(at, `${base}.imgmanifest`).toString();
      const manifest = JSON.parse(text);
      t.match(manifest, { uuid: image.uuid, owner: ALICE, files: [{ sha1: sha1Of(bytes), size: 300_000 }] });
      t.equal(text, JSON.stringify(manifest, null, 4));
      t.notOk('stor' in manifest.files[0]);
    }
  });
}

test('below a directory the names are those of the image, and a second export replaces the first', async (t) => {
  const at = await start(t);
  const alice = at.server.client({ account: ALICE });
  const { image } = await makeImage(alice, { name: 'my-image', version: '1.0' });
  const first = await alice.exportImage(image.uuid, { manta_path: '/alice/stor' });
  const names = ['/alice/stor/my-image-1.0.imgmanifest', '/alice/stor/my-image-1.0.zfs'];
  t.match(first, { image_path: names[1], manifest_path: names[0] });
  t.strictSame(areaOf(at).toSorted(), names);
  await alice.updateImage(image.uuid, { description: 'later' });
  await alice.exportImage(image.uuid, { manta_path: '/alice/stor//x/../' });
  t.strictSame(areaOf(at).toSorted(), names);
  t.match(JSON.parse(bytesAt(at, names[0] ?? '').toString()), { description: 'later' });
  const deprecation = { deprecated_at: '2020-01-31T00:00:00Z', replaced_by: (await makeImage(alice)).image.uuid };
  await alice.updateImage(image.uuid, deprecation);
  await alice.exportImage(image.uuid, { manta_path: '/alice/stor' });
  t.match(JSON.parse(bytesAt(at, names[0] ?? '').toString()), deprecation);
});

test('the compression is in the name, whatever the state of the image', async (t) => {
  const at = await start(t);
  const alice = at.server.client({ account: ALICE });
  const { image } = await makeImage(alice, {}, { activate: false });
  for (const [compression, extension] of [
    ['gzip', '.gz'],
    ['bzip2', '.bz2'],
    ['xz', '.xz'],
  ] as const) {
    await changeRecord(at.server.imgapi.service, image.uuid, (record) => ({
      ...record,
      files: (record.files ?? []).map((file) => ({ ...file, compression })),
    }));
    const { image_path } = await alice.exportImage(image.uuid, { manta_path: '/alice/stor/x' });
    t.equal(image_path, `/alice/stor/x.zfs${extension}`);
  }
});

test('an account exports to its own area only, an operator to any but that of the service', async (t) => {
  const at = await start(t);
  const operator = at.server.client();
  const bob = at.server.client({ account: BOB });
  const { image } = await makeImage(bob);
  await t.rejects(bob.exportImage(image.uuid, { manta_path: '/alice/stor/x' }), {
    statusCode: 422,
    code: 'NotMantaPathOwner',
  });
  for (const path of ['x', '/', '/..', '/.']) {
    const wrong = { statusCode: 422, errors: [{ field: 'manta_path', message: /must begin with \/LOGIN\// }] };
    await t.rejects(operator.exportImage(image.uuid, { manta_path: path }), wrong, path);
  }
  for (const path of ['/nobody/stor/x', '/alice/nothing/x', '/admin/stor/imgapi/test-1/x']) {
    const wrong = { statusCode: 422, errors: [{ field: 'manta_path', code: 'Invalid' }] };
    await t.rejects(operator.exportImage(image.uuid, { manta_path: path }), wrong, path);
  }
  t.strictSame(areaOf(at), []);
  await operator.exportImage(image.uuid, { manta_path: '/alice/stor/new/folder/x' });
  t.equal(areaOf(at).length, 2);
});

test('what cannot be exported is refused before anything is written', async (t) => {
  const at = await start(t);
  const { service } = at.server.imgapi;
  const operator = at.server.client();
  const to = { manta_path: '/alice/stor/x' };
  const empty = await operator.createImage({ name: 'a', version: '1', type: 'other', os: 'other', owner: ALICE });
  await t.rejects(operator.exportImage(empty.uuid, to), { statusCode: 404, message: /has no file to export/ });
  const two = await makeImage(operator, { type: 'lxd' }, { owner: ALICE });
  await changeRecord(service, two.image.uuid, (record) => {
    const [file] = record.files ?? [];
    return file && { ...record, files: [file, file] };
  });
  await t.rejects(operator.exportImage(two.image.uuid, to), { statusCode: 400, code: 'NotImplemented' });
  const { image, bytes } = await makeImage(operator, {}, { owner: ADMIN });
  const stranger = at.server.client({ account: BOB });
  await t.rejects(stranger.exportImage(image.uuid, to), /not found/);
  const damaged = randomBytes(bytes.length);
  await putObject(service.storages.named('local'), imageObjectPath(image.uuid, 'file0'), damaged);
  await t.rejects(operator.exportImage(image.uuid, to), { statusCode: 503, code: 'FileDamaged' });
  t.strictSame(areaOf(at), []);
});

test('an older record without MD5 is exported by the one of its bytes', async (t) => {
  const at = await start(t);
  const { image, bytes } = await makeImage(at.server.client(), {}, { owner: ADMIN });
  await changeRecord(at.server.imgapi.service, image.uuid, (record) => ({
    ...record,
    files: (record.files ?? []).map(({ contentMD5: _, sha256: __, ...file }) => file),
  }));
  const { image_path } = await at.server.client().exportImage(image.uuid, { manta_path: '/alice/stor/x' });
  t.equal(sha1Of(bytesAt(at, image_path)), sha1Of(bytes));
});

test('when Manta goes away in the middle, nothing half is there, and it can be asked for again', async (t) => {
  const at = await start(t);
  const operator = at.server.client();
  const { image, bytes } = await makeImage(operator, {}, { owner: ADMIN });
  await operator.exportImage(image.uuid, { manta_path: '/alice/stor/x' });
  const before = bytesAt(at, '/alice/stor/x.zfs');
  await at.double.stop();
  const failing = operator.exportImage(image.uuid, { manta_path: '/alice/stor/x' });
  await t.rejects(failing, { statusCode: 503, code: 'StorageIsDown' });
  await at.double.start();
  t.ok(bytesAt(at, '/alice/stor/x.zfs').equals(before));
  t.equal(sha1Of(before), sha1Of(bytes));
  await operator.exportImage(image.uuid, { manta_path: '/alice/stor/x' });
});

test('without Manta there is nowhere to export to', async (t) => {
  const server = await startInProcess(t);
  const { image } = await makeImage(server.client({ account: ALICE }));
  const asked = server.client().exportImage(image.uuid, { manta_path: '/alice/stor/x' });
  await t.rejects(asked, { statusCode: 503, code: 'StorageUnsupported' });
});
