/** `imgapiadm import-data FOLDER`: the data of a standalone IMGAPI, as it stands, served by this one. */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { IMAGES } from '#lib/manifest/record.ts';
import { ALICE, BOB } from '../../helpers/accounts.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { smallDisk } from '../../helpers/small-disk.ts';
import { runImgapiadm } from '../cli/capture.ts';
import { bytesServed, importInto, newPlace, PUBLIC } from './fixtures/import.ts';
import { type Made, MTIME, todaysFolder } from './fixtures/todays-folder.ts';

test('images of all states come with their files, icons and dates, and no byte is copied', async (t) => {
  const today = await todaysFolder(t);
  const icon = randomBytes(500);
  const base = today.add({ name: 'base' }, { icon });
  const child = today.add(
    { name: 'child', origin: base.uuid },
    { file: { dataset_guid: '123', compression: 'bzip2' } },
  );
  const disabled = today.add({ state: 'disabled', disabled: 'true' });
  const stale = today.add({ state: 'active', disabled: true });
  const fresh = today.add({ state: 'unactivated', activated: false, published_at: undefined });
  const bare = today.add({ state: 'unactivated', activated: 'false', published_at: undefined }, { size: 'none' });
  const docker = today.add(
    { type: 'docker', os: 'linux', tags: ['docker:id=x', 'big='], tagsObj: { 'docker:id': 'x', big: { a: 1 } } },
    { file: { digest: 'sha256:aa', uncompressedDigest: 'sha256:bb' } },
  );
  const old = today.add({ tags: ['role=db', 'n=1'], acl: ALICE, billing_tags: 'big' });
  const place = await newPlace(t);

  const dry = await importInto(place, today.path, '--dry-run');
  t.match(dry, { code: 0, report: { dry_run: true, same: 0, problems: [], left: [] } });
  t.equal(dry.report.images.length, 8);
  t.equal(dry.report.images.find(({ uuid }) => uuid === base.uuid)?.copied, 2, 'would come');

  const { code, report } = await importInto(place, today.path);
  t.strictSame({ code, problems: report.problems, remarks: report.remarks }, { code: 0, problems: [], remarks: [] });
  t.equal(report.images.length, 8);
  t.strictSame([...new Set(report.images.map(({ copied }) => copied))], [0]);
  t.equal(statSync(today.file(base.uuid)).nlink, 2, 'the file has two names');

  const server = await startInProcess(t, PUBLIC, { dataDir: place.dataDir });
  const client = server.client({ version: '*' });
  t.match(await client.getImage(base.uuid), {
    state: 'active',
    icon: true,
    name: 'base',
    published_at: base.record['published_at'],
  });
  t.match(await client.getImage(child.uuid), {
    origin: base.uuid,
    files: [{ dataset_guid: '123', compression: 'bzip2' }],
  });
  for (const { uuid } of [disabled, stale]) t.match(await client.getImage(uuid), { state: 'disabled', disabled: true });
  t.match(await client.getImage(fresh.uuid), { state: 'unactivated', files: [{ size: 50_000 }] });
  t.match(await client.getImage(bare.uuid), { state: 'unactivated', files: [] });
  t.match(await client.getImage(docker.uuid), { tags: { 'docker:id': 'x', big: { a: 1 } } });
  t.match(await client.getImage(old.uuid), { tags: { role: 'db', n: '1' }, acl: [ALICE] });
  t.strictSame(
    (await client.listImages({ tags: { role: 'db' } })).map(({ uuid }) => uuid),
    [old.uuid],
  );
  for (const { uuid, bytes, record } of [base, child, disabled, fresh, docker]) {
    const served = await bytesServed(server, uuid);
    t.ok(served.bytes.equals(bytes), String(record['name']));
    const [file] = record['files'] as [{ contentMD5: string }];
    t.match(served.headers, { 'content-md5': file.contentMD5, 'last-modified': new Date(MTIME).toUTCString() });
  }
  const { stream, contentType } = await client.getImageIcon(base.uuid);
  t.equal(contentType, 'image/png');
  t.ok(Buffer.concat(await stream.toArray()).equals(icon));
  const activated = await client.activateImage(fresh.uuid);
  t.equal(activated.state, 'active', 'and it goes on from there');
  const records = await server.imgapi.service.store.find(IMAGES, {});
  t.match(records.find(({ key }) => key === docker.uuid)?.value.files, [
    { digest: 'sha256:aa', uncompressedDigest: 'sha256:bb', sha256: /^[0-9a-f]{64}$/ },
  ]);
});

test('what is wrong is listed with its reason, and the rest is imported', async (t) => {
  const today = await todaysFolder(t);
  const good = today.add();
  const elsewhere = today.add(
    { uuid: '11111111-2222-4333-8444-555555555555' },
    { name: '99999999-2222-4333-8444-555555555555' },
  );
  today.write('77777777-2222-4333-8444-555555555555.raw', '{"v": 2,');
  today.write('66666666-2222-4333-8444-555555555555.raw', '[]');
  today.write('README', 'hello');
  const invalid = today.add({ os: 'beos', name: '' });
  const surplus = today.add({ colour: 'red' });
  const privately = today.add({ public: false });
  const changed = today.add({}, { stored: randomBytes(50_000) });
  const child = today.add({ origin: changed.uuid });
  const grandchild = today.add({ origin: child.uuid });
  const short = today.add({}, { stored: randomBytes(10) });
  const absent = today.add({}, { stored: undefined });
  const inManta = today.add({}, { file: { stor: 'manta' }, stored: undefined });
  const folder = today.add({}, { stored: undefined });
  t.ok(existsSync(join(today.file(folder.uuid), '..')));
  symlinkSync('/etc', today.file(folder.uuid));
  const outside = today.add({}, { stored: undefined });
  symlinkSync('/etc/passwd', today.file(outside.uuid));
  symlinkSync('/etc/passwd', join(today.path, 'manifests', '55555555-2222-4333-8444-555555555555.raw'));
  const [one, other] = ['aaaaaaaa-2222-4333-8444-555555555555', 'bbbbbbbb-2222-4333-8444-555555555555'];
  today.add({ uuid: one, origin: other });
  today.add({ uuid: other, origin: one });
  const leadsThere = today.add({ origin: one });
  const orphan = today.add({ origin: 'cccccccc-2222-4333-8444-555555555555' });
  const place = await newPlace(t);

  const ran = await runImgapiadm(['import-data', today.path, '-f', place.file]);
  t.equal(ran.code, 1);
  t.equal(ran.stderr, '');
  const wrong: [string, RegExp][] = [
    ['99999999-2222-4333-8444-555555555555.raw', /its uuid is "11111111-\S+, not 99999999-/],
    ['77777777-2222-4333-8444-555555555555.raw', /not valid JSON/],
    ['66666666-2222-4333-8444-555555555555.raw', /no object/],
    ['README', /its name is not that of a record/],
    [`${invalid.uuid}.raw`, /"name" must be .*; "os" must be one of .*, not "beos"/],
    [`${surplus.uuid}.raw`, /there is no manifest field "colour"/],
    [`${privately.uuid}.raw`, /"public" must be true/],
    [`${changed.uuid}.raw`, /file0: its bytes have sha1 [0-9a-f]{40}, not /],
    [`${child.uuid}.raw`, new RegExp(`its origin ${changed.uuid} was not imported`)],
    [`${grandchild.uuid}.raw`, new RegExp(`its origin ${child.uuid} was not imported`)],
    [`${short.uuid}.raw`, /file0: it has 10 bytes, not 50000/],
    [`${absent.uuid}.raw`, /file0 is missing: there is no /],
    [`${inManta.uuid}.raw`, /file0 is in the store "manta", which is not configured here/],
    [`${folder.uuid}.raw`, /leads out of .*, to \/etc/],
    [`${outside.uuid}.raw`, /leads out of .*, to \/etc\/passwd/],
    ['55555555-2222-4333-8444-555555555555.raw', /not a regular file/],
    [`${one}.raw`, /its own origin/],
    [`${other}.raw`, /its own origin/],
    [`${leadsThere.uuid}.raw`, new RegExp(`its origin ${one} was not imported`)],
  ];
  const lines = ran.stdout.split('\n');
  for (const [where, reason] of wrong) {
    const line = lines.find((text) => text.startsWith(`not imported: manifests/${where}: `));
    t.match(line, reason, where);
  }
  t.match(
    ran.stdout,
    `note: image ${orphan.uuid}: its origin cccccccc-2222-4333-8444-555555555555 is neither there nor here`,
  );
  t.match(lines.at(-2), new RegExp(`2 imported, 0 updated, 0 here already, ${wrong.length} not imported`));
  t.notOk(existsSync('/etc/passwd.bak'));

  const server = await startInProcess(t, PUBLIC, { dataDir: place.dataDir });
  const listed = await server.client({ version: '*' }).listImages({ state: 'all' });
  t.strictSame(listed.map(({ uuid }) => uuid).toSorted(), [good.uuid, orphan.uuid].toSorted());
  const staged = await server.imgapi.service.storages.preferred.sessions();
  t.strictSame(
    staged.filter(({ session }) => session.startsWith('import.')),
    [],
    'no staging is left',
  );
  t.notOk(existsSync(join(place.dataDir, 'storage/images', changed.uuid.slice(0, 3), changed.uuid)));

  // What was mended comes with the next run, and its dependents with it.
  today.put(changed.uuid, 'file0', changed.bytes);
  const again = await importInto(place, today.path);
  t.strictSame(
    again.report.images.map(({ uuid }) => uuid).toSorted(),
    [changed, child, grandchild].map(({ uuid }) => uuid).toSorted(),
  );
  t.equal(again.report.same, 2);
  t.equal(elsewhere.bytes.length, 50_000);
});

test('a dry run finds what needs no reading of files; what clients could not use is refused', async (t) => {
  const today = await todaysFolder(t);
  const short = today.add({}, { stored: randomBytes(10) });
  const page = today.add({}, { icon: Buffer.from('<script>') });
  const icon = { ...(page.record['icon'] as object), contentType: 'text/html' };
  today.add({ ...page.record, icon }, { size: 'none' });
  const text = today.add({}, { file: { size: '50000' } });
  const place = await newPlace(t);
  for (const args of [['--dry-run'], []]) {
    const { report } = await importInto(place, today.path, ...args);
    t.strictSame(report.images, []);
    const reasons = new Map(report.problems.map(({ uuid, reasons: [why = ''] }) => [uuid, why]));
    t.match(reasons.get(short.uuid), /file0: it has 10 bytes, not 50000/);
    t.match(reasons.get(page.uuid), /"icon" must be of one of the types .*, not "text\/html"/);
    t.match(reasons.get(text.uuid), /a number of bytes as "size", not "50000"/);
  }
});

test('the second time changes nothing, and says so', async (t) => {
  const today = await todaysFolder(t);
  const base = today.add({}, { icon: randomBytes(100) });
  today.add({ origin: base.uuid });
  const place = await newPlace(t);
  t.match(await importInto(place, today.path), { code: 0, report: { same: 0 } });
  const server = await startInProcess(t, PUBLIC, { dataDir: place.dataDir });
  const etags = async () => (await server.imgapi.service.store.find(IMAGES, {})).map(({ etag }) => etag);
  const before = await etags();
  const ran = await runImgapiadm(['import-data', today.path, '-f', place.file]);
  t.match(ran, { code: 0, stdout: /: 0 imported, 0 updated, 2 here already; nothing to do\n$/ });
  t.strictSame(await etags(), before);
});

test('what changed there is brought, what changed here stays', async (t) => {
  const today = await todaysFolder(t);
  const [renamed, finished, ours, both, gone] = ['renamed', 'finished', 'ours', 'both', 'gone'].map((name) =>
    today.add(
      { name, ...(name === 'finished' && { state: 'unactivated', activated: false, published_at: undefined }) },
      name === 'finished' ? { size: 'none' } : {},
    ),
  ) as [Made, Made, Made, Made, Made];
  const place = await newPlace(t);
  await importInto(place, today.path);
  const server = await startInProcess(t, PUBLIC, { dataDir: place.dataDir });
  const client = server.client({ version: '*' });
  // The server that imports runs, and so does the one of before.
  await client.updateImage(ours.uuid, { description: 'changed here' });
  await client.updateImage(both.uuid, { description: 'changed here' });
  await client.deleteImage(gone.uuid);
  today.add({ ...renamed.record, name: 'renamed-there' }, { size: 'none' });
  today.add({ ...both.record, description: 'changed there' }, { size: 'none' });
  const { bytes } = today.add({
    ...finished.record,
    state: 'active',
    activated: true,
    published_at: '2020-01-01T00:00:00Z',
  });
  const fresh = today.add({ name: 'fresh' });

  const { code, report } = await importInto(place, today.path);
  t.equal(code, 1);
  t.match(report.problems, [{ uuid: both.uuid, reasons: ['it is here already, with other description'] }]);
  const left = new Map(report.left.map(({ uuid, why }) => [uuid, why]));
  t.equal(left.get(ours.uuid), 'changed here since: description');
  t.equal(left.get(gone.uuid), 'it was imported before, and deleted here since');
  const results = new Map(report.images.map(({ uuid, result }) => [uuid, result]));
  t.strictSame(results.get(renamed.uuid), 'updated');
  t.strictSame(results.get(finished.uuid), 'updated');
  t.strictSame(results.get(fresh.uuid), 'imported');
  t.match(await client.getImage(renamed.uuid), { name: 'renamed-there', state: 'active' });
  t.match(await client.getImage(finished.uuid), { state: 'active', published_at: '2020-01-01T00:00:00Z' });
  t.ok((await bytesServed(server, finished.uuid)).bytes.equals(bytes));
  t.match(await client.getImage(both.uuid), { description: 'changed here' });
  await t.rejects(client.getImage(gone.uuid), { code: 'ResourceNotFound' });

  const deleted = await importInto(place, today.path, '--even-deleted');
  t.match(deleted.report.images, [{ uuid: gone.uuid, result: 'imported' }]);
  t.match(await client.getImage(gone.uuid), { name: 'gone' });
});

test('an activated image keeps its bytes, whatever the source has by now', async (t) => {
  const today = await todaysFolder(t);
  const made = today.add();
  const place = await newPlace(t);
  await importInto(place, today.path);
  today.add({ uuid: made.uuid, description: 'other bytes' });
  const { code, report } = await importInto(place, today.path);
  t.match(
    { code, report },
    { code: 1, report: { problems: [{ reasons: ['it is activated here, with other bytes'] }] } },
  );
});

test('two files of an image come both', async (t) => {
  const today = await todaysFolder(t);
  const second = randomBytes(3000);
  const made = today.add({ type: 'lxd', os: 'linux', requirements: { brand: 'lx' } });
  const [file] = made.record['files'] as object[];
  const { createHash } = await import('node:crypto');
  const sha1 = createHash('sha1').update(second).digest('hex');
  today.add(
    { ...made.record, files: [file, { ...file, sha1, size: second.length, contentMD5: undefined, mtime: undefined }] },
    { size: 'none' },
  );
  today.put(made.uuid, 'file1', second);
  const place = await newPlace(t);
  t.match(await importInto(place, today.path), { code: 0, report: { images: [{ linked: 2 }] } });
  const server = await startInProcess(t, PUBLIC, { dataDir: place.dataDir });
  t.ok((await bytesServed(server, made.uuid, 0)).bytes.equals(made.bytes));
  const { bytes, headers } = await bytesServed(server, made.uuid, 1);
  t.ok(bytes.equals(second));
  t.equal(headers['content-md5'], createHash('md5').update(second).digest('base64'));
});

test('in a datacenter owners and access lists stay, and nobody’s images become the admin’s', async (t) => {
  const today = await todaysFolder(t);
  const shared = today.add({ owner: ALICE, public: false, acl: BOB });
  const nobodys = today.add();
  const place = await newPlace(t, {});
  t.match(await importInto(place, today.path), { code: 0 });
  const server = await startInProcess(t, {}, { dataDir: place.dataDir });
  t.match(await server.client({ account: BOB }).getImage(shared.uuid), { owner: ALICE });
  t.match(await server.client().getImage(nobodys.uuid), { owner: server.imgapi.service.config.adminUuid });
});

test('keys of users come along, and those that are here stay', async (t) => {
  const today = await todaysFolder(t);
  today.key(
    'alice',
    '# of alice\nssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPlvLHsIZSUFVbGJLQ2cJcJFOHSoaFMnYMZ4nRBaRTmS a\n',
  );
  today.key('nobody', '# nothing yet\n');
  const elsewhere = join(today.path, 'etc', 'authkeys', 'local', 'bob.keys');
  symlinkSync('/etc/passwd', elsewhere);
  const place = await newPlace(t);
  const remarks = [`${elsewhere}: its keys are left out; it must be a file, of a megabyte at most`];
  t.match(await importInto(place, today.path), { code: 0, report: { keys: ['alice'], remarks } });
  const keys = join(place.dataDir, 'authkeys', 'alice.keys');
  t.match(readFileSync(keys, 'utf8'), /^# of alice\nssh-ed25519 AAAA/);
  t.equal(statSync(keys).mode & 0o777, 0o600);
  today.key(
    'alice',
    'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPlvLHsIZSUFVbGJLQ2cJcJFOHSoaFMnYMZ4nRBaRTmS a\nssh-ed25519 AAAAB b\n',
  );
  t.match(await importInto(place, today.path), { report: { keys: ['alice'] } });
  t.equal(readFileSync(keys, 'utf8').split('\n').length, 4, 'only what is new was added');
  t.match(await importInto(place, today.path), { report: { keys: [] } });
  rmSync(keys);
});

test('a disk that is full ends the import with a word', async (t) => {
  const disk = smallDisk(t, 16);
  if (disk === undefined) return;
  const today = await todaysFolder(t);
  today.add({}, { size: 20_000_000 });
  const { file } = await newPlace(t, PUBLIC, join(disk, 'data'));
  const { code, stderr } = await runImgapiadm(['import-data', today.path, '-f', file]);
  t.match({ code, stderr }, { code: 1, stderr: /error \(InsufficientStorage\): the object store has no room: / });
  t.notMatch(stderr, /\n +at /);
});

test('what is no source is said so', async (t) => {
  const place = await newPlace(t);
  const wrong: [string[], RegExp][] = [
    [['/nowhere'], /\/nowhere: there is no such file/],
    [[t.testdir()], /is not the data folder of an IMGAPI: it has no folder manifests/],
    [['/dev/null'], /neither a folder nor a file/],
    [['http://127.0.0.1:1/'], /127.0.0.1:1/],
    [['/nowhere', '--key', 'x'], /--sign-as and --key belong together/],
  ];
  for (const [args, message] of wrong) {
    const { code, stderr } = await runImgapiadm(['import-data', ...args, '-f', place.file]);
    t.not(code, 0);
    t.match(stderr, message);
  }
});
