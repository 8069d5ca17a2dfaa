import { test } from 'tap';
import type { FanOut } from '#lib/api/schemas/fan-out.ts';
import { runImgapiadm } from '../../capture.ts';
import { ALICE, UUID } from '../../fixtures.ts';
import { json, playBack } from '../../playback.ts';

const FAN_OUT = '1d4b0cc4-3a39-4d4c-9b9a-9c4e2f0bb0a1';

function fanOut(state: FanOut['state'], west: object): FanOut {
  const target = { bytes_done: 0, bytes_total: 0, rate: 0, tries: 0 };
  return {
    ...{ uuid: FAN_OUT, image_uuid: UUID, account: ALICE, state, together: false, released: false },
    created_at: '2026-01-02T03:04:05.006Z',
    datacenters: [
      { ...target, datacenter: 'east', state: 'succeeded', bytes_done: 1024, bytes_total: 1024 },
      { ...target, datacenter: 'west', state: 'waiting', ...west },
    ],
  };
}

const FAILED = { state: 'failed', error: { code: 'Forbidden', message: 'it accepts no orders' } };

test('a fan-out is told as it goes, and what failed is told at the end', async (t) => {
  const server = await playBack(t, {
    [`POST /images/${UUID}`]: json(fanOut('running', {})),
    [`GET /fan-outs/${FAN_OUT}`]: json(fanOut('failed', FAILED)),
  });
  const finish_by = '2026-01-31T12:00:00Z';
  const wish = ['--finish-by', finish_by];
  const asked = await runImgapiadm([
    'fan-out',
    UUID,
    'east',
    'west',
    '--together',
    ...wish,
    '-a',
    ALICE,
    '-u',
    server.url,
  ]);
  t.equal(asked.code, 1);
  t.equal(asked.stdout, 'east: succeeded\nwest: waiting\nwest: failed (it accepts no orders)\n');
  t.match(asked.stderr, /ended as failed: west failed, it accepts no orders/);
  const path = new URL(server.asked[0]?.path ?? '', server.url);
  t.same(Object.fromEntries(path.searchParams), {
    ...{ action: 'copy-to-dcs', datacenters: 'east,west', together: 'true', finish_by, account: ALICE },
  });
});

test('fan-outs are listed with a line for each datacenter', async (t) => {
  const server = await playBack(t, { 'GET /fan-outs': json([fanOut('failed', FAILED)]) });
  const { stdout } = await runImgapiadm(['fan-outs', '-H', '-o', 'shortid,to,state,error', '-u', server.url]);
  t.equal(
    stdout,
    `${UUID.slice(0, 8)}  east  succeeded  -\n${UUID.slice(0, 8)}  west  failed     Forbidden: it accepts no orders\n`,
  );
  t.match(await runImgapiadm(['fan-outs', '-o', 'nothing', '-u', server.url]), { code: 2 });
});

test('a fan-out is canceled, and tried again', async (t) => {
  const server = await playBack(t, {
    [`DELETE /fan-outs/${FAN_OUT}`]: json(fanOut('running', {})),
    [`POST /fan-outs/${FAN_OUT}/retry`]: json(fanOut('running', {})),
  });
  t.match((await runImgapiadm(['fan-outs', 'cancel', FAN_OUT, '-u', server.url])).stdout, /is being canceled/);
  const until = ['--finish-by', '2026-01-31T12:00:00Z'];
  await runImgapiadm(['fan-outs', 'retry', FAN_OUT, '--to', 'west', ...until, '-u', server.url]);
  const asked = `datacenter=west&finish_by=${encodeURIComponent('2026-01-31T12:00:00Z')}`;
  t.equal(server.asked.at(-1)?.path, `/fan-outs/${FAN_OUT}/retry?${asked}`);
});
