import { test } from 'tap';
import { runImgapiadm } from '../capture.ts';
import { ALICE, copyImage, copyStatus, doneStatus, UUID } from '../fixtures.ts';
import { json, playBack } from '../playback.ts';

test('copies are listed with what they have done and what is wrong', async (t) => {
  const failed = copyStatus({ state: 'failed', error: { code: 'NotOwner', message: 'not yours' } }, [
    copyImage({ state: 'failed', rate: 0 }),
  ]);
  const server = await playBack(t, { 'GET /copies': json([copyStatus({ eta: 15 }), doneStatus(), failed]) });
  t.strictSame(await runImgapiadm(['copies', '-u', server.url]), {
    code: 0,
    stdout: [
      'IMAGE                                 NAME            FROM     STATE        %  BYTES                RATE  LEFT  ERROR',
      `${UUID}  my-image@1.0.0  us-sw-1  running     25  25 of 100 MiB   5.0 MiB/s  0:15  -`,
      `${UUID}  my-image@1.0.0  us-sw-1  succeeded  100  100 of 100 MiB          -     -  -`,
      `${UUID}  my-image@1.0.0  us-sw-1  failed      25  25 of 100 MiB           -     -  NotOwner: not yours`,
      '',
    ].join('\n'),
    stderr: '',
  });
  t.equal(JSON.parse((await runImgapiadm(['copies', '--json', '-u', server.url])).stdout).length, 3);
});

test('copies are asked for by state and source', async (t) => {
  const server = await playBack(t, { 'GET /copies': json([]) });
  await runImgapiadm(['copies', '--state', 'failed', '--from', 'us-sw-1', '--limit', '5', '-u', server.url]);
  t.equal(server.asked[0]?.path, '/copies?state=failed&datacenter=us-sw-1&limit=5');
  t.match(await runImgapiadm(['copies', '--state', 'broken']), { code: 2, stderr: /one of queued, running/ });
  t.match(await runImgapiadm(['copies', '--limit', '1001']), { code: 2, stderr: /from 1 to 1000/ });
});

for (const command of [['copies', 'cancel'], ['cancel']]) {
  test(`${command.join(' ')} ends a copy`, async (t) => {
    const server = await playBack(t, { [`DELETE /images/${UUID}/copy`]: json(copyStatus({ state: 'canceled' })) });
    t.strictSame(await runImgapiadm([...command, UUID, '-a', ALICE, '-u', server.url]), {
      code: 0,
      stdout: `Copy of ${UUID} from us-sw-1 is canceled.\n`,
      stderr: '',
    });
    t.equal(server.asked[0]?.path, `/images/${UUID}/copy?account=${ALICE}`);
    const { stdout } = await runImgapiadm([...command, UUID, '--json', '-u', server.url]);
    t.match(JSON.parse(stdout), [{ state: 'canceled' }]);
  });
}

test('a copy that is over cannot be canceled any more', async (t) => {
  const answer = json({ code: 'CopyAlreadyFinished', message: 'it succeeded' }, 409);
  const server = await playBack(t, { [`DELETE /images/${UUID}/copy`]: answer });
  t.match(await runImgapiadm(['cancel', UUID, '-u', server.url]), {
    code: 1,
    stderr: 'imgapiadm: error (CopyAlreadyFinished): it succeeded\n',
  });
});
