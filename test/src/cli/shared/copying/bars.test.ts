import { test } from 'tap';
import { textWidth } from '#src/cli/output/text-width.ts';
import { progressBars } from '#src/cli/shared/copying/bars.ts';
import { BASE, copyImage, copyStatus, doneStatus } from '../../fixtures.ts';

const WIDE = { columns: 110, rows: 24 };
const MIB = 1024 * 1024;

const base = copyImage({ uuid: BASE, name: 'base', version: '18.4.0' });

test('one image is one line: its bytes, its share, its rate, the time that is left', async (t) => {
  t.strictSame(progressBars(copyStatus(), WIDE), [
    '0965c1f4 my-image@1.0.0  [======>                     ]   25%  25 of 100 MiB  5.0 MiB/s  0:15 left',
  ]);
});

test('a chain has a line each, and one for all', async (t) => {
  const status = copyStatus({ eta: 40 }, [
    { ...base, state: 'received', bytes_done: 99 * MIB, rate: 0 },
    copyImage({ state: 'queued', bytes_done: 0, rate: 0 }),
  ]);
  t.strictSame(progressBars(status, WIDE), [
    '1f0e2d3c base@18.4.0     [==========================> ]   99%  99 of 100 MiB  complete, not usable yet',
    '0965c1f4 my-image@1.0.0  [                            ]    0%  0 of 100 MiB  waiting',
    'all                      [============>               ]   49%  99 of 200 MiB  no bytes yet',
  ]);
});

test('it is 100 % when it is usable, and not before', async (t) => {
  const all = copyStatus({}, [copyImage({ bytes_done: 100 * MIB })]);
  t.match(progressBars(all, WIDE)[0], / 99% /);
  t.match(progressBars({ ...all, state: 'running' }, WIDE)[0], /> \] {3}99%/);
  t.match(progressBars(doneStatus(), WIDE)[0], /\[={28}\] {2}100% {2}100 of 100 MiB {2}usable$/);
});

const STATES: readonly [string, Parameters<typeof copyImage>[0], RegExp][] = [
  ['fails', { state: 'failed', rate: 0, error: { code: 'NotOwner', message: 'no' } }, /failed \(NotOwner\) no$/],
  ['is canceled', { state: 'canceled', rate: 0 }, / 25% .*canceled$/],
  ['is tried again', { rate: 0, error: { code: 'Stalled', message: 'no byte for 30 s' } }, /trying again: \(Stalled\)/],
  ['waits to be tried again', { state: 'queued', rate: 0, error: { code: 'Stalled', message: 'x' } }, /trying again: /],
  ['has no size', { bytes_total: 0, bytes_done: 0, rate: 0 }, / {3}0% {2}no bytes yet$/],
  ['has a name that steers terminals', { name: '\u001b[2J' }, /^0965c1f4 \\u\{1b\}\[2J@1\.0\.0 /],
];

for (const [what, fields, line] of STATES) {
  test(`an image that ${what} shows it`, async (t) => {
    t.match(progressBars(copyStatus({}, [copyImage(fields)]), WIDE)[0], line);
  });
}

test('no line is as wide as the terminal, however narrow it is', async (t) => {
  const long = copyImage({ name: 'n'.repeat(300), error: { code: 'X', message: 'm'.repeat(500) }, rate: 0 });
  for (let columns = 1; columns < 140; columns++) {
    for (const line of progressBars(copyStatus({}, [long, base]), { columns, rows: 24 })) {
      if (textWidth(line) >= Math.max(columns, 2)) t.fail(`${textWidth(line)} of ${columns} columns: ${line}`);
    }
  }
  t.pass();
});

test('a narrow terminal gets the numbers without a bar', async (t) => {
  const [line = ''] = progressBars(copyStatus(), { columns: 70, rows: 24 });
  t.equal(line, '0965c1f4 my-image@1.0.0   25%  25 of 100 MiB  5.0 MiB/s  0:15 left');
});

test('with more images than rows those that are done give way', async (t) => {
  const images = Array.from({ length: 30 }, (_, i) =>
    copyImage({ name: `image-${i}`, ...(i < 28 && { state: 'received', rate: 0 }) }),
  );
  const bars = progressBars(copyStatus({}, images), { columns: 110, rows: 10 });
  t.equal(bars.length, 8);
  t.match(bars[4], /image-28/);
  t.match(bars[5], /image-29/);
  t.equal(bars[6], 'and 24 more');
  t.match(bars[7], /^all /);
});
