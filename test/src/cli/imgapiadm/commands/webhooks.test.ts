import { test } from 'tap';
import { jsonLines } from '../../capture.ts';
import { administered } from '../../data-folder.ts';
import { UUID } from '../../fixtures.ts';
import { json } from '../../playback.ts';

const URL = 'https://tickets.example.com/imgapi';
const IDLE = { name: 'chat', url: URL, events: ['copy-done'], queued: 0, given_up: 0 };
const TAKEN = { ...IDLE, name: 'log', last: { time: '2026-01-31T12:00:02.000Z', id: UUID, status: 204 } };
const DOWN = {
  ...{ name: 'tickets', url: URL, events: ['copy-failed', 'copy-canceled'], queued: 12, given_up: 3 },
  ...{ oldest: '2026-01-31T11:00:00.000Z', last: { time: '2026-01-31T12:00:00.000Z', id: UUID, error: 'no answer' } },
};

test('webhooks are listed with what waits for them and how they answered', async (t) => {
  const { run, server } = await administered(t, { 'GET /admin/webhooks': json([IDLE, TAKEN, DOWN]) });
  t.strictSame(await run('webhooks'), {
    code: 0,
    stdout: [
      'NAME     QUEUED  GIVEN_UP  OLDEST_UTC           LAST_UTC             ANSWER',
      'chat          0         0  -                    -                    -',
      'log           0         0  -                    2026-01-31T12:00:02  204',
      'tickets      12         3  2026-01-31T11:00:00  2026-01-31T12:00:00  no answer',
      '',
    ].join('\n'),
    stderr: '',
  });
  t.equal(server.asked[0]?.headers.authorization, 'Bearer s3cret');
  t.equal((await run('webhooks', '-H', '-o', 'name,url,events')).stdout.split('\n')[0], `chat     ${URL}  copy-done`);
  t.strictSame(jsonLines((await run('webhooks', '-j')).stdout), [IDLE, TAKEN, DOWN]);
});

test('the messages of a webhook are sent again when an operator says so', async (t) => {
  const { run, server } = await administered(t, {
    'POST /admin/webhooks/tickets/retry': [json({ retried: 15 }), json({ retried: 1 }), json({ retried: 0 })],
  });
  t.equal((await run('webhooks', 'retry', 'tickets')).stdout, '15 messages are sent again.\n');
  t.equal((await run('webhooks', 'retry', 'tickets')).stdout, '1 message is sent again.\n');
  t.strictSame(JSON.parse((await run('webhooks', 'retry', 'tickets', '-j')).stdout), { retried: 0 });
  t.equal(server.asked.length, 3);
});
