import { test } from 'tap';
import { jsonLines } from '../../capture.ts';
import { administered } from '../../data-folder.ts';
import { ALICE, BASE, ORDER, UUID } from '../../fixtures.ts';
import { json } from '../../playback.ts';

const IDS = ['019c1000-0000-7000-8000-000000000002', '019c1000-0000-7000-8000-000000000001'] as const;
const BY_ALICE = { kind: 'account', account: ALICE, login: 'alice' };
const SHARED = {
  ...{ id: IDS[0], time: '2026-01-31T12:00:02.345Z', kind: 'share', image: UUID, actor: BY_ALICE },
  ...{ request_id: ORDER, details: { entries: ['bob', 'carol'] } },
};
const PULLED = {
  ...{ id: IDS[1], time: '2026-01-31T12:00:01.000Z', kind: 'pull', image: BASE, details: { sha1: 'abc', size: 5 } },
  actor: { kind: 'datacenter', datacenter: 'us-east' },
};

test('the events of an image are listed with who did what', async (t) => {
  const { run, server } = await administered(t, { [`GET /images/${UUID}/events`]: json([SHARED]) });
  t.strictSame(await run('events', UUID, '--kind', 'share', '--limit', '5', '--marker', IDS[0]), {
    code: 0,
    stdout: [
      'TIME_UTC             KIND   ACTOR  DETAILS',
      '2026-01-31T12:00:02  share  alice  entries bob carol',
      '',
    ].join('\n'),
    stderr: '',
  });
  t.equal(server.asked[0]?.path, `/images/${UUID}/events?kind=share&limit=5&marker=${IDS[0]}`);
});

test('the events of all images are listed with the image', async (t) => {
  const { run, server } = await administered(t, { 'GET /events': json([SHARED, PULLED]) });
  const since = '2026-01-31T00:00:00Z';
  t.equal(
    (await run('events', '--since', since)).stdout,
    [
      'TIME_UTC             KIND   SHORTID   ACTOR               DETAILS',
      '2026-01-31T12:00:02  share  0965c1f4  alice               entries bob carol',
      '2026-01-31T12:00:01  pull   1f0e2d3c  datacenter us-east  sha1 abc, size 5 B',
      '',
    ].join('\n'),
  );
  t.match(server.asked[0]?.path, /^\/events\?since=2026-01-31T00/);
  t.equal((await run('events', '-H', '-o', 'request,id,image')).stdout.split('\n')[0], `${ORDER}  ${IDS[0]}  ${UUID}`);
  t.strictSame(jsonLines((await run('events', '-j')).stdout), [SHARED, PULLED]);
});

test('what cannot be asked is told before anything is', async (t) => {
  const { run, server } = await administered(t, {});
  for (const args of [
    ['--kind', 'x'],
    ['--limit', '0'],
    ['--since', 'x'],
    ['-o', 'x'],
    [UUID, '--since', '2026-01-31'],
  ]) {
    t.equal((await run('events', ...args)).code, 2, args.join(' '));
  }
  t.strictSame(server.asked, []);
});
