/** A server is killed at each step of moving an image to another store, and at each step of an export. */
import { type Test, test } from 'tap';
import { mantaFor } from '../engines/manta.ts';
import { type S3Keys, s3For } from '../engines/s3.ts';
import { ADMIN } from '../helpers/accounts.ts';
import { MiB, type Site, startSite } from '../helpers/cloud.ts';
import { makeImage, sha1Of } from '../helpers/images.ts';
import { assertSound, sha1Served } from '../helpers/invariants.ts';
import { waitFor } from '../helpers/wait.ts';

const SIZE = 12 * MiB;
const PNG = Buffer.from('89504e470d0a1a0a', 'hex');

const POINTS = [
  ['move:claimed', 'it has begun'],
  ['move:copying@2', 'half of the bytes are copied'],
  ['upload:staged', 'all bytes are staged'],
  ['upload:intent-recorded', 'it noted that it will place them'],
  ['upload:placed', 'they are in their place'],
  ['move:recorded', 'the record looks for them there'],
  ['upload:placed@2', 'the icon is in its place'],
  ['former:removed', 'the first of the old objects is gone'],
] as const;

test('A move whose server is killed is finished by the next one, and the image can be read all the time', async (t) => {
  const s3 = await s3For(t);
  const site = await startSite(t, 'us-east', s3.keys);
  const { image, bytes } = await makeImage(site.operator, {}, { owner: ADMIN, size: SIZE });
  await site.operator.addImageIcon(image.uuid, PNG, 'image/png');
  for (const [point, when] of POINTS) {
    await t.test(`killed when ${when}`, async (t) => {
      for (const [from, to] of [
        ['local', 's3'],
        ['s3', 'local'],
      ] as const) {
        const [name = '', count] = point.split('@');
        await site.restart({ fault: `${name}=kill${count === undefined ? '' : `@${count}`}` });
        t.match(await filesOf(site, image.uuid), [{ stor: from }]);
        const moving = site.operator.adminChangeImageStor(image.uuid, { stor: to }).catch((error: unknown) => error);
        await site.diesByItself();
        await moving;
        await site.start();
        t.equal(await sha1Served(site.operator, image.uuid), sha1Of(bytes), `readable on the way to ${to}`);
        await waitFor('the move to be finished', async () => (await filesOf(site, image.uuid))[0]?.stor === to);
        await assertSound(t, site);
        await assertOnly(t, s3, image.uuid, to === 's3' ? ['file0', 'icon'] : []);
      }
    });
  }
});

async function filesOf(site: Site, uuid: string) {
  return (await site.operator.getImage(uuid, { inclAdminFields: true })).files;
}

async function assertOnly(t: Test, { server, prefix }: S3Keys, uuid: string, names: readonly string[]): Promise<void> {
  const held = async () => (await server.keys(`${prefix}/images/`)).map((key) => key.split('/').at(-1));
  await waitFor(`S3 to hold ${names}`, async () => (await held()).length === names.length).catch(() => undefined);
  t.strictSame((await held()).toSorted(), names, `what S3 holds of ${uuid}`);
  t.strictSame(await server.uploads(prefix), []);
}

test('An export whose server is killed leaves nothing half, and no manifest without its file', async (t) => {
  const { double, keys } = await mantaFor(t);
  const site = await startSite(t, 'us-east', keys);
  const { image, bytes } = await makeImage(site.operator, {}, { owner: ADMIN, size: SIZE });
  await site.restart({ fault: 'export:file-written=kill' });
  const to = { manta_path: '/alice/stor/x' };
  const exporting = site.operator.exportImage(image.uuid, to).catch((error: unknown) => error);
  await site.diesByItself();
  await exporting;
  const exported = () => double.tree.all().filter((path) => path.startsWith('/alice/stor/x'));
  t.strictSame(exported(), ['/alice/stor/x.zfs']);
  await site.start();
  await site.operator.exportImage(image.uuid, to);
  t.strictSame(exported().toSorted(), ['/alice/stor/x.imgmanifest', '/alice/stor/x.zfs']);
  const file = double.tree.find(['alice', 'stor', 'x.zfs']);
  t.equal(file?.kind === 'object' && sha1Of(file.bytes), sha1Of(bytes));
  await assertSound(t, site);
});
