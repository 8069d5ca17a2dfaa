import { test } from 'tap';
import { jsonLines } from '../../capture.ts';
import { administered } from '../../data-folder.ts';
import { json } from '../../playback.ts';

const LAST = {
  began_at: '2017-10-17T21:00:00.000Z',
  ended_at: '2017-10-17T21:00:01.500Z',
  seconds: 1.5,
  worker: '10.a',
};
const NEXT = '2017-10-17T22:00:01.500Z';
const REAP = { name: 'reap-pulls', what: 'removes expired pull links', period_seconds: 3600 };
const TASKS = [
  { ...REAP, state: 'waiting', failures: 0, next_run: NEXT, last_run: { ...LAST, result: 'ok' } },
  {
    ...{ ...REAP, name: 'sweep-staging', state: 'waiting', failures: 0, next_run: NEXT },
    last_run: { ...LAST, result: 'ok', did: { sessions: 2, bytes: 1024 } },
  },
  {
    ...{ ...REAP, name: 'expire-copies', state: 'failing', failures: 3, next_run: NEXT },
    last_run: { ...LAST, result: 'failed', error: 'no answer' },
  },
  {
    ...{ ...REAP, name: 'finish-deletes', state: 'running', failures: 0 },
    holder: { worker: '11.b', since: LAST.began_at, until: LAST.ended_at },
  },
];

test('tasks are listed with how their last run went, and when the next one is', async (t) => {
  const { run } = await administered(t, { 'GET /tasks': json(TASKS) });
  t.strictSame(await run('tasks'), {
    code: 0,
    stdout: [
      'NAME            STATE    LAST_UTC              TOOK  NEXT_UTC             RESULT',
      'reap-pulls      waiting  2017-10-17T21:00:01  1.5 s  2017-10-17T22:00:01  ok',
      'sweep-staging   waiting  2017-10-17T21:00:01  1.5 s  2017-10-17T22:00:01  sessions 2, bytes 1024',
      'expire-copies   failing  2017-10-17T21:00:01  1.5 s  2017-10-17T22:00:01  failed: no answer',
      'finish-deletes  running  -                        -  -                    -',
      '',
    ].join('\n'),
    stderr: '',
  });
  const chosen = await run('tasks', '-H', '-o', 'name,holder,last_worker,failures,period');
  t.match(chosen.stdout, /^expire-copies +- +10\.a +3 +3600 s$/m);
  t.match(chosen.stdout, /^finish-deletes +11\.b +- +0 +3600 s$/m);
  t.strictSame(jsonLines((await run('tasks', '-j')).stdout), TASKS);
});
