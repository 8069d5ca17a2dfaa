import { test } from 'tap';
import { CapturedSink, jsonLines, runImgapiadm } from '../../capture.ts';
import { ALICE, copyImage, copyStatus, doneStatus, image, UUID } from '../../fixtures.ts';
import { json, playBack } from '../../playback.ts';

test('copies are listed with what they have done and what is wrong', async (t) => {
  const failed = copyStatus({ state: 'failed', error: { code: 'NotOwner', message: 'not yours' } }, [
    copyImage({ state: 'failed', rate: 0 }),
  ]);
  const server = await playBack(t, { 'GET /copies': json([copyStatus({ eta: 15 }), doneStatus(), failed]) });
  t.strictSame(await runImgapiadm(['copies', '-u', server.url]), {
    code: 0,
    stdout: [
      'SHORTID   NAME            FROM     STATE        %     SIZE  WHEN_UTC          ERROR',
      '0965c1f4  my-image@1.0.0  us-sw-1  running     25  100 MiB  2017-10-17T21:00  -',
      '0965c1f4  my-image@1.0.0  us-sw-1  succeeded  100  100 MiB  2017-10-17T21:01  -',
      '0965c1f4  my-image@1.0.0  us-sw-1  failed      25  100 MiB  2017-10-17T21:00  NotOwner: not yours',
      '',
    ].join('\n'),
    stderr: '',
  });
  t.equal(jsonLines((await runImgapiadm(['copies', '--json', '-u', server.url])).stdout).length, 3);
});

test('how a copy goes on is shown on demand', async (t) => {
  const server = await playBack(t, { 'GET /copies': json([copyStatus({ eta: 15 })]) });
  const { stdout } = await runImgapiadm(['copies', '-H', '-o', 'image,bytes,rate,left', '-u', server.url]);
  t.equal(stdout, `${UUID}  25 of 100 MiB  5.0 MiB/s  0:15\n`);
});

test('copies fit a terminal of 80 columns, with the reason of a failure', async (t) => {
  const error = { code: 'SourceUnreachable', message: 'nothing came from there for a day and a night' };
  const name = 'a-name-that-is-longer-than-most-names-are';
  const failed = copyStatus({ state: 'failed', error }, [copyImage({ name, state: 'failed', rate: 0 })]);
  const server = await playBack(t, { 'GET /copies': json([doneStatus(), failed]) });
  const stdout = new CapturedSink(true, 80);
  await runImgapiadm(['copies', '-u', server.url], { stdout });
  const lines = stdout.text.trimEnd().split('\n');
  t.equal(lines.length, 3);
  t.ok(lines.every((line) => line.length <= 80));
  t.match(lines[2], /^0965c1f4 {2}a-name-.*… {2}us-sw-1 {2}failed .* 2017-10-17T21:00 {2}Source.*…$/);
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
    t.match(jsonLines(stdout), [{ state: 'canceled' }]);
  });
}

test('a copy is named as the table shows it, and all are known before the first one ends', async (t) => {
  const server = await playBack(t, {
    'GET /images': json([image({ state: 'copying' })]),
    [`DELETE /images/${UUID}/copy`]: json(copyStatus({ state: 'canceled' })),
  });
  t.match(await runImgapiadm(['cancel', '0965c1f4', '-u', server.url]), { code: 0 });
  t.match(await runImgapiadm(['cancel', 'my-image@1.0.0', 'nosuch', '-u', server.url]), {
    code: 4,
    stderr: /there is no image "nosuch" here/,
  });
  t.equal(server.asked.filter(({ method }) => method === 'DELETE').length, 1);
});

test('a copy that is over cannot be canceled any more', async (t) => {
  const answer = json({ code: 'CopyAlreadyFinished', message: 'it succeeded' }, 409);
  const server = await playBack(t, { [`DELETE /images/${UUID}/copy`]: answer });
  t.match(await runImgapiadm(['cancel', UUID, '-u', server.url]), {
    code: 1,
    stderr: 'imgapiadm: error (CopyAlreadyFinished): it succeeded\n',
  });
});
