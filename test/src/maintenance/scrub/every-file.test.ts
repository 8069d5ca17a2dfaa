/** Icons, files beyond the first, and bytes that several images share are looked after like the first file of an image. */
import { createHash, randomBytes } from 'node:crypto';
import { link, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import type { FileFinding, VerifyLine, VerifyStore, VerifySummary } from '#lib/api/schemas/maintenance.ts';
import { type ImageObjectName, imageObjectPath } from '#lib/manifest/object-paths.ts';
import type { FileRecord, ImageRecord } from '#lib/manifest/record.ts';
import { sourcesOfRepair } from '#src/datacenters/sources/sources.ts';
import { listFindings } from '#src/images/files/findings.ts';
import { loadRaw } from '#src/images/record/load.ts';
import { repairFile } from '#src/maintenance/repair.ts';
import { repairSources } from '#src/maintenance/repair-sources.ts';
import { mendFiles } from '#src/maintenance/scrub/mend.ts';
import { unobserved } from '#src/maintenance/scrub/observer.ts';
import { scrub } from '#src/maintenance/scrub/scrub.ts';
import { orderPass } from '#src/maintenance/scrub/state.ts';
import { type VerifyOptions, verifyFiles } from '#src/maintenance/verify.ts';
import { ALICE, BOB } from '../../../helpers/accounts.ts';
import { bytesOf, type Datacenter, linkedPair, putImage, putObject } from '../../../helpers/datacenter.ts';
import { makeImage, sha1Of } from '../../../helpers/images.ts';
import { startInProcess } from '../../../helpers/imgapi.ts';
import { waitFor } from '../../../helpers/wait.ts';
import { asker } from '../../imgapi/fixtures/ask.ts';

const { signal } = new AbortController();
const ICON = randomBytes(500);
const SECOND = randomBytes(20_000);
const HOUR = 3_600_001;

const md5 = (bytes: Buffer): string => createHash('md5').update(bytes).digest('base64');

/** A whole pass, ordered by an operator. */
async function pass({ service }: Pick<Datacenter, 'service'>) {
  await orderPass(service);
  return scrub(service, unobserved, signal);
}

const mended = ({ service }: Datacenter): Promise<number> => mendFiles(service, unobserved, signal);

function pathOf({ service }: Datacenter, uuid: string, name: ImageObjectName): string {
  return join(service.config.dataDir, 'storage', imageObjectPath(uuid, name));
}

async function stored({ service }: Datacenter, uuid: string, name: ImageObjectName): Promise<Buffer> {
  return bytesOf((await service.storages.named('local').read(imageObjectPath(uuid, name))).stream);
}

/** An image with two files and an icon in both datacenters. */
async function rich(t: Test) {
  const { east, west } = await linkedPair(t);
  const { record, bytes } = await putImage(west, ALICE);
  const second: FileRecord = { sha1: sha1Of(SECOND), size: SECOND.length, stor: 'local', compression: 'none' };
  const fields: Partial<ImageRecord> = {
    uuid: record.uuid,
    type: 'lxd',
    os: 'linux',
    files: [...(record.files ?? []), second],
    icon: { sha1: sha1Of(ICON), size: ICON.length, contentType: 'image/png', contentMD5: md5(ICON), stor: 'local' },
  };
  for (const datacenter of [east, west]) {
    await putImage(datacenter, ALICE, fields, bytes);
    const local = datacenter.service.storages.named('local');
    await putObject(local, imageObjectPath(record.uuid, 'file1'), SECOND);
    await putObject(local, imageObjectPath(record.uuid, 'icon'), ICON);
  }
  return { east, west, uuid: record.uuid, bytes };
}

for (const [name, right] of [
  ['file1', SECOND],
  ['icon', ICON],
] as const) {
  test(`${name}: it is read on schedule, quarantined when it is damaged, and fetched again`, async (t) => {
    const { east, west, uuid } = await rich(t);
    await writeFile(pathOf(east, uuid, name), Buffer.alloc(right.length, 1));
    t.match(await pass(east), { files: 3, bad: 1, skipped: 0 });
    const [finding] = await listFindings(east.service);
    t.match(finding, { uuid, file: name, status: 'hash', quarantined: true, kept: /^quarantine\// });
    const [source] = await sourcesOfRepair(west.service);
    const account = ALICE;
    const reading: Promise<unknown> | undefined =
      name === 'icon'
        ? source?.getIcon(uuid, account, signal)
        : source?.getFile(uuid, { account, start: 0, index: 1, sha1: sha1Of(SECOND), signal });
    await t.rejects(async () => reading, { code: 'FileDamaged', statusCode: 503 });
    await writeFile(pathOf(west, uuid, name), Buffer.alloc(right.length, 2));
    t.equal(await mended(east), 0);
    t.match(await listFindings(east.service), [{ repair: { problem: /us-west-1: .*its bytes differ/ } }]);
    await writeFile(pathOf(west, uuid, name), right);
    for (const { clock } of [east, west]) clock.ahead += HOUR;
    t.equal(await mended(east), 1);
    t.ok((await stored(east, uuid, name)).equals(right));
    t.strictSame(await listFindings(east.service), []);
    const { quarantined, quarantined_icon: icon, files } = (await loadRaw(east.service, uuid))?.value ?? {};
    t.strictSame([quarantined, icon, files?.length], [undefined, undefined, 2]);
  });

  test(`${name}: a later pass takes back what is right again, and verify mends it too`, async (t) => {
    const { east, uuid } = await rich(t);
    await writeFile(pathOf(east, uuid, name), 'x');
    t.match(await pass(east), { bad: 1 });
    await writeFile(pathOf(east, uuid, name), right);
    t.match(await pass(east), { files: 3, bad: 0 });
    t.strictSame(await listFindings(east.service), []);
    await writeFile(pathOf(east, uuid, name), 'x');
    const { service } = east;
    const repair: VerifyOptions['repair'] = async (image, which) =>
      repairFile(service, await repairSources(service, image, which), image, which, { signal });
    const lines: (VerifyLine | VerifyStore | VerifySummary)[] = [];
    for await (const line of verifyFiles(service, { repair, signal })) lines.push(line);
    t.match(
      lines.find((line) => 'file' in line && line.file === name),
      { status: 'repaired' },
    );
    t.match(lines.at(-1), { summary: { files: 3, ok: 2, repaired: 1 } });
    t.ok((await stored(east, uuid, name)).equals(right));
  });
}

test('images with one file on the disk between them are all kept from readers, and all mended', async (t) => {
  const { east, west } = await linkedPair(t);
  const { record, bytes } = await putImage(west, ALICE);
  const { uuid } = record;
  await putImage(east, ALICE, { uuid }, bytes);
  // Nobody else has the clone. It comes first in some passes, and last in others.
  const clones = await Promise.all([putImage(east, BOB, {}, bytes), putImage(east, BOB, {}, bytes)]);
  const uuids = [uuid, ...clones.map((one) => one.record.uuid)];
  for (const clone of uuids.slice(1)) {
    await rm(pathOf(east, clone, 'file0'));
    await link(pathOf(east, uuid, 'file0'), pathOf(east, clone, 'file0'));
  }
  t.equal((await stat(pathOf(east, uuid, 'file0'))).nlink, 3);
  await writeFile(pathOf(east, uuid, 'file0'), Buffer.alloc(bytes.length, 1));
  t.match(await pass(east), { files: 3, bad: 3 });
  t.equal(await mended(east), 3, 'without waiting for an hour');
  for (const each of uuids) t.ok((await stored(east, each, 'file0')).equals(bytes));
  t.strictSame(await listFindings(east.service), []);
});

test('an icon that nobody else has stays quarantined, until its owner gives another or none', async (t) => {
  const { imgapi, client } = await startInProcess(t);
  const { service } = imgapi;
  const alice = client({ account: ALICE });
  const { image } = await makeImage(alice);
  const { uuid } = image;
  const findings = (): Promise<FileFinding[]> => listFindings(service);
  for (const end of ['another', 'none'] as const) {
    await alice.addImageIcon(uuid, ICON, 'image/png');
    await service.storages.named('local').remove(imageObjectPath(uuid, 'icon'));
    await orderPass(service);
    await waitFor('a failed repair', async () => (await findings())[0]?.repair !== undefined);
    t.match(await findings(), [
      { file: 'icon', status: 'missing', repair: { problem: /there is no linked datacenter/ } },
    ]);
    await t.rejects(alice.getImageIcon(uuid), { code: 'FileDamaged', message: /^icon of image/ });
    t.match(await alice.getImage(uuid), { icon: true, state: 'active' });
    if (end === 'another') {
      await alice.addImageIcon(uuid, ICON, 'image/png');
      t.ok((await bytesOf((await alice.getImageIcon(uuid)).stream)).equals(ICON));
      t.strictSame(await findings(), []);
    } else {
      await alice.deleteImageIcon(uuid);
      t.equal((await loadRaw(service, uuid))?.value.quarantined_icon, undefined);
      await alice.addImageIcon(uuid, ICON, 'image/png');
      t.ok((await bytesOf((await alice.getImageIcon(uuid)).stream)).equals(ICON));
    }
  }
});

test('a URL that was given out before a repair reads the right bytes after it', async (t) => {
  const { imgapi, client, url } = await startInProcess(t);
  const { service } = imgapi;
  const alice = client({ account: ALICE });
  const { image, bytes } = await makeImage(alice);
  const { uuid } = image;
  const pull = await client().createImageFilePullUrl(uuid);
  const path = join(service.config.dataDir, 'storage', imageObjectPath(uuid, 'file0'));
  await writeFile(path, Buffer.alloc(bytes.length, 1));
  await putObject(service.storages.named('local'), imageObjectPath(uuid, 'file0'), bytes);
  const { pathname, search } = new URL(pull.url);
  const answer = await asker(t, url)(pathname + search);
  t.equal(answer.status, 200);
  t.ok(answer.bytes.equals(bytes));
});
