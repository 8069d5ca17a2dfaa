import { join } from 'node:path';
import { test } from 'tap';
import { runImgapiadm } from '../../capture.ts';
import { administered } from '../../data-folder.ts';
import { BASE, ORDER, UUID } from '../../fixtures.ts';
import { json, lines, openLines } from '../../playback.ts';

const REAP = {
  dry_run: true,
  pulls: {
    until: '20171015',
    objects: [{ storage: 'local', path: 'pulls/20171015/x.file0.r1', size: 5 * 1024 * 1024 }],
    directories: [{ storage: 'local', path: 'pulls/20171015' }],
    links: [{ reqid: 'r1', etag: 'e' }],
    ignored: ['local:pulls/notes.txt'],
    failed: [],
    bytes: 5 * 1024 * 1024,
  },
  staging: {
    sessions: [{ session: 'upload.1', stor: 'local', size: 1024, mtime: '2017-10-17T21:00:00Z' }],
    bytes: 1024,
  },
  copies: { placeholders: [{ uuid: UUID, bytes: 2048 }], orders: [ORDER], links: ['links/a'] },
};

test('a dry run shows what would go, by name and size', async (t) => {
  const { server, run } = await administered(t, { 'POST /admin/reap': json(REAP) });
  t.strictSame(await run('reap', '--dry-run'), {
    code: 0,
    stdout: [
      'WHAT            NAME                                     SIZE',
      'pull link       local:pulls/20171015/x.file0.r1       5.0 MiB',
      'pull directory  local:pulls/20171015                        -',
      'pull record     r1                                          -',
      'staging         local:upload.1                        1.0 KiB',
      `failed copy     ${UUID}  2.0 KiB`,
      `ended order     ${ORDER}        -`,
      'copy link       links/a                                     -',
      '7 would be removed, 5.0 MiB.',
      '',
    ].join('\n'),
    stderr: 'left alone, not ours: local:pulls/notes.txt\n',
  });
  t.equal(server.asked[0]?.path, '/admin/reap?dry_run=true');
});

test('what goes is shown as gone, and what could not go is a failure', async (t) => {
  const pulls = { ...REAP.pulls, failed: [{ path: 'pulls/20171015/y', error: 'busy' }] };
  const { server, run } = await administered(t, { 'POST /admin/reap': json({ ...REAP, dry_run: false, pulls }) });
  const { code, stdout, stderr } = await run('reap');
  t.equal(code, 1);
  t.match(stdout, /\n7 removed, 5\.0 MiB\.\n$/);
  t.match(stderr, /not removed: pulls\/20171015\/y: busy\n/);
  t.equal(server.asked[0]?.path, '/admin/reap?dry_run=false');
});

test('staging that is young goes when it is asked for, with what lies under temporary names', async (t) => {
  const staging = { ...REAP.staging, leftovers: [{ session: '~a', stor: 'local', size: 10 }] };
  const { server, run } = await administered(t, { 'POST /admin/reap': json({ ...REAP, staging }) });
  t.match((await run('reap', '--staging', '-n')).stdout, /\nstaging +local:~a +10 B\n/);
  t.equal(server.asked[0]?.path, '/admin/reap?dry_run=true&staging=true');
});

test('nothing to reap is told in one line', async (t) => {
  const { run } = await administered(t, { 'POST /admin/reap': json({ dry_run: false }) });
  t.strictSame(await run('reap'), { code: 0, stdout: '0 removed, 0 B.\n', stderr: '' });
  t.strictSame(JSON.parse((await run('reap', '--json')).stdout), { dry_run: false });
});

const GOOD = { uuid: UUID, name: 'my-image', file: 'file0', status: 'ok' };
const BAD = { uuid: BASE, name: 'base', file: 'file0', status: 'hash', message: 'sha1 differs' };
const MENDED = { ...BAD, status: 'repaired', message: 'fetched again from us-sw-1' };
const summary = (counts: object) => ({ summary: { ok: 0, missing: 0, files: 2, bytes: 6 * 1024 * 1024, ...counts } });

test('files that are damaged are told, and are a failure', async (t) => {
  const { server, run } = await administered(t, {
    'POST /admin/verify': lines(GOOD, BAD, summary({ ok: 1, hash: 1 })),
  });
  t.strictSame(await run('verify'), {
    code: 1,
    stdout: [
      `${UUID} file0 my-image: ok`,
      `${BASE} file0 base: hash: sha1 differs`,
      '2 files, 6.0 MiB: 1 ok, 1 hash',
      '',
    ].join('\n'),
    stderr: '',
  });
  t.equal(server.asked[0]?.path, '/admin/verify');
  t.equal(
    (await run('verify', '--quiet')).stdout,
    `${BASE} file0 base: hash: sha1 differs\n2 files, 6.0 MiB: 1 ok, 1 hash\n`,
  );
});

test('files that were passed over are told once, and are a failure', async (t) => {
  const down = { store: 's3', message: 'did not answer' };
  const { run } = await administered(t, { 'POST /admin/verify': lines(GOOD, down, summary({ ok: 1, skipped: 1 })) });
  t.strictSame(await run('verify', '--quiet'), {
    code: 1,
    stdout: '2 files, 6.0 MiB: 1 ok, 1 skipped\n',
    stderr: 'files in the store "s3" were not read: did not answer\n',
  });
});

test('files that were repaired are no failure', async (t) => {
  const answer = lines(GOOD, MENDED, summary({ ok: 1, repaired: 1 }));
  const { server, run } = await administered(t, { 'POST /admin/verify': answer });
  t.match(await run('verify', UUID, BASE, '--repair'), { code: 0, stdout: /repaired: fetched again from us-sw-1\n/ });
  t.equal(server.asked[0]?.path, `/admin/verify?repair=true&uuid=${UUID}&uuid=${BASE}`);
});

test('an image without a file is not found', async (t) => {
  const { run } = await administered(t, { 'POST /admin/verify': lines(GOOD, summary({ ok: 1 })) });
  t.match(await run('verify', UUID, BASE), { code: 4, stderr: `image ${BASE} has no file here\n` });
});

test('as JSON each finding is a line', async (t) => {
  const { run } = await administered(t, { 'POST /admin/verify': lines(GOOD, summary({ ok: 1 })) });
  const { stdout } = await run('verify', '--json');
  t.strictSame(
    stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
    [GOOD, summary({ ok: 1 })],
  );
});

test('a verification that ends before its summary is a failure', async (t) => {
  const { run } = await administered(t, { 'POST /admin/verify': lines(GOOD) });
  t.match(await run('verify'), { code: 1, stderr: /error \(VerifyIncomplete\)/ });
});

test('findings are told as they come', async (t) => {
  const { server, run } = await administered(t, { 'POST /admin/verify': openLines(GOOD) });
  const ran = run('verify');
  while (server.asked.length < 1) await new Promise(setImmediate);
  await server.stop();
  t.match(await ran, { code: 3, stderr: /error \(Unreachable\)/ });
});

const CONFIGS: readonly [string, string, readonly string[], object][] = [
  ['right', '{"mode": "private"}', [], { code: 0, stdout: /imgapi\.json: ok\n$/, stderr: '' }],
  [
    'of unknown keys',
    '{"mode": "private", "prot": 1}',
    [],
    { code: 0, stderr: 'warning: prot: there is no such key; did you mean "port"?\n' },
  ],
  [
    'of unknown keys, strictly',
    '{"mode": "private", "prot": 1}',
    ['--strict'],
    { code: 1, stderr: /has 1 problem\n {4}prot: / },
  ],
  [
    'of wrong values',
    '{"mode": "x", "port": "y"}',
    [],
    { code: 1, stderr: /error \(Config\): .*has 2 problems\n {4}\w+: .*\n {4}\w+: / },
  ],
  ['no JSON', '{"mode":', [], { code: 1, stderr: /has 1 problem\n {4}not valid JSON at line 1/ }],
];

for (const [what, text, args, seen] of CONFIGS) {
  test(`a configuration that is ${what} is told to be`, async (t) => {
    const dir = t.testdir({ 'imgapi.json': text });
    t.match(await runImgapiadm(['check-config', join(dir, 'imgapi.json'), ...args]), seen);
  });
}

test('a configuration is checked as JSON too', async (t) => {
  const dir = t.testdir({ 'good.json': '{"mode": "private", "prot": 1}', 'bad.json': '{"mode": "x"}' });
  const good = await runImgapiadm(['check-config', '--json', join(dir, 'good.json')]);
  t.match(JSON.parse(good.stdout), { ok: true, problems: [], unknown_keys: ['prot'] });
  const bad = await runImgapiadm(['check-config', '--json', join(dir, 'bad.json')]);
  t.match(JSON.parse(bad.stdout), { ok: false, problems: [/^mode: /] });
  t.equal(bad.code, 1);
});

const COUNTS = { files: 12, bytes: 3 * 1024 * 1024, bad: 1, skipped: 0 };
const SCRUB = {
  findings: 1,
  next_at: '2017-11-17T21:00:00.000Z',
  last: { ...COUNTS, began_at: '2017-10-17T21:00:00.000Z', ended_at: '2017-10-17T22:00:00.000Z' },
};

test('a pass over all files is asked for, and shown', async (t) => {
  const { server, run } = await administered(t, {
    'POST /admin/scrub': json(SCRUB),
    'GET /state': json({ scrub: { findings: 0, pass: { ...COUNTS, began_at: '2017-10-17T21:00:00.000Z' } } }),
  });
  t.strictSame(await run('scrub'), {
    code: 0,
    stdout: [
      'last pass ended 2017-10-17T22:00:00.000Z: 12 files, 3.0 MiB, 1 damaged, 0 skipped',
      'next pass: 2017-11-17T21:00:00.000Z',
      '1 damaged',
      '',
    ].join('\n'),
    stderr: '',
  });
  t.equal(server.asked[0]?.path, '/admin/scrub');
  t.match((await run('scrub', '--status')).stdout, /^running since 2017-10-17T21:00:00\.000Z: 12 files/);
  t.strictSame(JSON.parse((await run('scrub', '-j')).stdout), SCRUB);
});

test('what is known to be damaged is listed without reading anything, and is a failure', async (t) => {
  const finding = {
    ...{
      uuid: UUID,
      name: 'my-image',
      file: 'file0',
      stor: 'local',
      size: 10,
      status: 'hash',
      message: 'sha1 differs',
    },
    ...{ quarantined: true, found_at: '2017-10-17T21:00:00.000Z', checked_at: '2017-10-17T21:00:00.000Z' },
    ...{ kept: 'quarantine/x', repair: { tried_at: '2017-10-17T21:00:00.000Z', problem: 'nobody has it' } },
  };
  const { run } = await administered(t, { 'GET /admin/findings': json([finding]) });
  const found = await run('verify', '--findings');
  t.match(found, { code: 1, stderr: '' });
  t.match(found.stdout, /^UUID +NAME +FILE +STATUS +SINCE_UTC +NOT_REPAIRED +MESSAGE\n/);
  t.match(found.stdout, /my-image +file0 +hash +2017-10-17T21:00:00 +nobody has it +sha1 differs\n$/);
  t.match(await run('verify', '--findings', '-H', '-o', 'stor,kept'), { code: 1, stdout: 'local  quarantine/x\n' });
  t.match(await run('verify', '-o', 'stor'), { code: 2, stderr: /are for --findings/ });
});

const ON_TOP = '0a1b2c3d-0000-4000-8000-000000000001';
const MACHINE = '0a1b2c3d-0000-4000-8000-000000000002';
const USAGE = {
  uuid: UUID,
  derived: {
    ...{ count: 1, complete: false },
    images: [{ uuid: ON_TOP, name: 'on-top', version: '1', state: 'active', origin: UUID }],
  },
  datacenters: [{ datacenter: 'east', state: 'active' }],
  instances: { count: 1, complete: true, instances: [{ uuid: MACHINE, alias: 'web', state: 'running' }] },
};

test('who uses an image is told in sections, and as one table where columns are named', async (t) => {
  const { run } = await administered(t, { [`GET /images/${UUID}/usage`]: json(USAGE) });
  const told = await run('usage', UUID);
  t.match(told.stdout, /^At least 1 image on top of it:\nUUID .*\n.* on-top .*\n1 other datacenter:\n/);
  t.match(await run('usage', UUID, '-H', '--sort=-kind', '-o', 'kind,name'), {
    ...{ code: 0, stdout: 'machine     web\nimage       on-top\ndatacenter  east\n' },
  });
  t.match(await run('usage', UUID, '-o', 'nmae'), { code: 2, stderr: /did you mean "name"/ });
});
