import { test } from 'tap';
import { CapturedSink, jsonLines, runImgapiadm } from '../../capture.ts';
import { BASE, copyImage, copyStatus } from '../../fixtures.ts';
import { json, playBack } from '../../playback.ts';

const MIB = 1024 * 1024;
const SLOW = copyStatus();
const FAST = copyStatus({ image_uuid: BASE, datacenter: 'eu-ams-1' }, [
  copyImage({ uuid: BASE, name: 'base', rate: 50 * MIB }),
]);

test('top shows what moves, the fastest first, and how much in all', async (t) => {
  const server = await playBack(t, { 'GET /copies': json([SLOW, FAST]) });
  t.strictSame(await runImgapiadm(['top', '-u', server.url]), {
    code: 0,
    stdout: [
      '2 orders to copy, 55 MiB/s',
      'SHORTID   NAME            FROM       %  BYTES               RATE  LEFT',
      '1f0e2d3c  base@1.0.0      eu-ams-1  25  25 of 100 MiB   50 MiB/s  0:02',
      '0965c1f4  my-image@1.0.0  us-sw-1   25  25 of 100 MiB  5.0 MiB/s  0:15',
      '',
    ].join('\n'),
    stderr: '',
  });
  t.match(server.asked[0], { path: /state=running/ });
  t.match(jsonLines((await runImgapiadm(['top', '-j', '-s', 'rate', '-u', server.url])).stdout), [SLOW, FAST]);
});

test('on a terminal top looks again until Ctrl-C, and fits a narrow one', async (t) => {
  const server = await playBack(t, { 'GET /copies': [json([SLOW]), json([])] });
  const [stdout, stderr] = [new CapturedSink(true, 60), new CapturedSink(true, 60)];
  const interrupt = new AbortController();
  const ran = runImgapiadm(['top', '--every', '1', '-u', server.url], { stdout, stderr, signal: interrupt.signal });
  await stderr.wrote(/Nothing is being copied here\./);
  interrupt.abort();
  t.match(await ran, { code: 130, stdout: '' });
  for (const line of stderr.text.split('\n')) t.ok(line.replace(/\p{Cc}\[\w+/gu, '').length < 60, line);
  t.match(stderr.text, '1 order to copy, 5.0 MiB/s');
});
