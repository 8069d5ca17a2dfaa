import { test } from 'tap';
import { administered } from '../../data-folder.ts';
import { json } from '../../playback.ts';

const RUNNING = {
  ...{ kind: 'documents', from: 'moray', to: 'postgres', state: 'running', phase: 'switching' },
  ...{ ordered_at: '2017-10-17T21:00:00.000Z', total: 7, done: 0 },
};
const { phase: _, ...ENDED } = { ...RUNNING, state: 'succeeded', done: 7, ended_at: '2017-10-17T21:00:01.000Z' };
const AWAY = { code: 'ServiceUnavailable', message: 'the documents are being moved to "postgres"' };

test('a move is watched to its end, also while the server itself waits for it', async (t) => {
  const { run, server } = await administered(t, {
    'POST /admin/migrations': json(RUNNING),
    'GET /admin/migrations': [json(AWAY, 503), json([]), json([ENDED])],
  });
  t.strictSame(await run('migrate', 'documents', '--to', 'postgres', '--offline'), {
    code: 0,
    stdout: [
      'documents from moray to postgres: running, switching, 0 of 7',
      'documents from moray to postgres: succeeded, 7 of 7',
      '',
    ].join('\n'),
    stderr: '',
  });
  t.match(server.asked[0]?.path, /offline=true/);
  t.notMatch(server.asked[0]?.path, /dry_run/);
});

test('a move that failed is told with the reason, and what could not be moved', async (t) => {
  const failed = {
    ...ENDED,
    state: 'failed',
    error: 'the target is not empty',
    failed: [{ what: 'image a', error: 'b' }],
  };
  const { run } = await administered(t, { 'POST /admin/migrations': json(failed) });
  const ended = await run('migrate', 'documents', '--to', 'postgres');
  t.equal(ended.code, 1);
  t.match(ended.stderr, /the target is not empty\nimage a: b/);
});

test('migrations are a table, and what went wrong is said beside it', async (t) => {
  const failed = { ...ENDED, state: 'failed', error: 'the target is not empty' };
  const { run } = await administered(t, { 'GET /admin/migrations': json([failed]) });
  const told = await run('migrations');
  t.match(told, { code: 0, stderr: 'the target is not empty\n' });
  t.match(told.stdout, /^KIND +FROM +TO +STATE .*\ndocuments +moray +postgres +failed +- +7 +7 /);
  t.match(await run('migrations', '-H', '-o', 'to,state'), { stdout: 'postgres  failed\n' });
});
