import { randomUUID } from 'node:crypto';
import { test } from 'tap';
import type { ObjectStore } from '#lib/objects/object-store.ts';
import { createPullUrl } from '#src/pulls/create-pull-url.ts';
import { PULL_LINKS } from '#src/pulls/documents.ts';
import { isPullsDay, lastExpiredDay, parsePullName } from '#src/pulls/pull-path.ts';
import { executeReap, planReap, reapPulls } from '#src/pulls/reaper.ts';
import { ALICE } from '../../helpers/accounts.ts';
import { putImage, putObject, startDatacenter } from '../../helpers/datacenter.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

function dayAgo(days: number): string {
  return new Date(Date.now() - days * DAY_MS).toISOString().slice(0, 10).replaceAll('-', '');
}

function pullName(): string {
  return `${randomUUID()}.file0.${randomUUID()}`;
}

/** Every path below a directory. */
async function tree(storage: ObjectStore, directory: string): Promise<string[]> {
  const entries = await storage.list(directory);
  const paths = await Promise.all(
    entries.map(({ name, type }) =>
      type === 'object' ? [`${directory}/${name}`] : tree(storage, `${directory}/${name}`),
    ),
  );
  return paths.flat().sort();
}

test('days more than two days old go, younger ones stay, and the report says what went', async (t) => {
  const { service } = await startDatacenter(t, 'us-west-1');
  const local = service.storages.named('local');
  const old = [`pulls/${dayAgo(3)}/${pullName()}`, `pulls/${dayAgo(40)}/${pullName()}`];
  const young = [0, 1, 2].map((days) => `pulls/${dayAgo(days)}/${pullName()}`).sort();
  for (const path of [...old, ...young]) await putObject(local, path, Buffer.alloc(100));
  const report = await reapPulls(service);
  t.match(report, { bytes: 200, failed: [], ignored: [], dryRun: false });
  t.strictSame(report.objects.map(({ path }) => path).sort(), old.sort());
  t.strictSame(await tree(local, 'pulls'), young);
  t.strictSame((await local.list('pulls')).map(({ name }) => name).sort(), [0, 1, 2].map(dayAgo).sort());
});

test('a dry run removes nothing, and answers what the real run then removes', async (t) => {
  const dc = await startDatacenter(t, 'us-west-1');
  const { service } = dc;
  const { record } = await putImage(dc, ALICE);
  await createPullUrl(service, {
    uuid: record.uuid,
    index: 0,
    account: ALICE,
    datacenter: 'x',
    requestId: randomUUID(),
    baseUrl: dc.url,
  });
  await putObject(service.storages.named('local'), `pulls/${dayAgo(9)}/${pullName()}`, Buffer.alloc(7));
  await putObject(service.storages.named('local'), `pulls/${dayAgo(9)}/notes.txt`, Buffer.alloc(7));
  dc.clock.ahead = 4 * DAY_MS;
  const before = await tree(service.storages.named('local'), 'pulls');
  const dry = await reapPulls(service, { dryRun: true });
  t.strictSame(await tree(service.storages.named('local'), 'pulls'), before);
  t.equal(await service.store.count(PULL_LINKS), 1);
  const real = await reapPulls(service);
  t.strictSame({ ...real, dryRun: true }, dry);
  t.equal(dry.objects.length, 2);
  t.equal(await service.store.count(PULL_LINKS), 0);
});

test('what the reaper does not understand it reports and leaves alone', async (t) => {
  const { service } = await startDatacenter(t, 'us-west-1');
  const local = service.storages.named('local');
  const strange = [
    'pulls/readme',
    'pulls/2020/x',
    'pulls/20201399/x',
    'pulls/backup/20200101/x',
    'pulls/20200101/notes.txt',
    `pulls/20200101/${randomUUID()}.file0.not-an-id`,
    `pulls/20200101/sub/${pullName()}`,
  ];
  const known = `pulls/20200101/${pullName()}`;
  for (const path of [...strange, known]) await putObject(local, path, Buffer.alloc(1));
  const { objects, ignored, directories } = await reapPulls(service);
  t.strictSame(
    objects.map(({ path }) => path),
    [known],
  );
  t.strictSame(directories, []);
  t.strictSame(await tree(local, 'pulls'), [...strange].sort());
  t.strictSame(
    [...ignored].sort(),
    [
      'local:pulls/readme',
      'local:pulls/2020',
      'local:pulls/20201399',
      'local:pulls/backup',
      'local:pulls/20200101/notes.txt',
      `local:${strange[5]}`,
      'local:pulls/20200101/sub',
    ].sort(),
  );
});

test('whatever a plan says, nothing outside the pulls area is removed', async (t) => {
  const dc = await startDatacenter(t, 'us-west-1');
  const local = dc.service.storages.named('local');
  await putImage(dc, ALICE);
  const before = await tree(local, 'images');
  const plan = await planReap(dc.service);
  const paths = [before[0]!, 'pulls', 'pulls/../images', 'images', '', '/', 'pullsx/20200101/a'];
  const report = await executeReap(dc.service, {
    ...plan,
    objects: paths.map((path) => ({ storage: 'local', path, size: 1 })),
    directories: paths.map((path) => ({ storage: 'local', path })),
  });
  t.equal(report.failed.length, 2 * paths.length);
  t.strictSame(report.objects, []);
  t.strictSame(await tree(local, 'images'), before);
});

test('a link that was renewed after the plan was made stays', async (t) => {
  const dc = await startDatacenter(t, 'us-west-1');
  const { record } = await putImage(dc, ALICE);
  const ask = {
    uuid: record.uuid,
    index: 0,
    account: ALICE,
    datacenter: 'x',
    requestId: randomUUID(),
    baseUrl: dc.url,
  };
  const { reqid } = await createPullUrl(dc.service, ask);
  dc.clock.ahead = 4 * DAY_MS;
  const plan = await planReap(dc.service);
  t.equal(plan.links.length, 1);
  await createPullUrl(dc.service, { ...ask, renew: reqid });
  await executeReap(dc.service, plan);
  const stored = (await dc.service.store.get(PULL_LINKS, reqid))!.value;
  t.ok(await dc.service.storages.named('local').info(stored.path));
});

test('a store that fails at one object is reported, and the others go', async (t) => {
  const stuck = `pulls/${dayAgo(5)}/${pullName()}`;
  const { service } = await startDatacenter(t, 'us-west-1', {
    storage: (local) =>
      new Proxy(local, {
        get(target, property) {
          const value: unknown = Reflect.get(target, property);
          if (typeof value !== 'function') return value;
          if (property !== 'remove') return value.bind(target);
          return (path: string) => (path === stuck ? Promise.reject(new Error('stuck')) : target.remove(path));
        },
      }),
  });
  const other = `pulls/${dayAgo(5)}/${pullName()}`;
  for (const path of [stuck, other]) await putObject(service.storages.named('local'), path, Buffer.alloc(10));
  const report = await reapPulls(service);
  t.match(report, { bytes: 10, failed: [{ path: stuck, error: 'stuck' }], objects: [{ path: other }] });
  t.strictSame(await tree(service.storages.named('local'), 'pulls'), [stuck]);
});

test('days and names are told from what only looks like them', async (t) => {
  t.ok(isPullsDay('20240229'));
  for (const name of ['20230229', '2024-02-29', '20241301', '99999999', '', '202402290']) {
    t.notOk(isPullsDay(name), name);
  }
  const name = pullName();
  t.match(parsePullName(name), { index: 0 });
  for (const bad of [`${name}x`, name.replace('file0', 'file'), name.toUpperCase(), `../${name}`]) {
    t.equal(parsePullName(bad), undefined, bad);
  }
  t.equal(lastExpiredDay(Date.parse('2026-03-03T23:59:59Z'), 2), '20260228');
});
