import { test } from 'tap';
import { LogLines } from '#src/cli/shared/copying/log-lines.ts';
import { BASE, copyImage, copyStatus, doneStatus } from '../../fixtures.ts';

const MIB = 1024 * 1024;

function at(done: number) {
  return copyStatus({}, [copyImage({ bytes_done: done * MIB })]);
}

test('a copy is told at its start, every few seconds when it went on, and at its end', async (t) => {
  const lines = new LogLines();
  t.strictSame(lines.next(at(0), 0), ['copy from us-sw-1: 1 image, 100 MiB']);
  t.strictSame(lines.next(at(10), 1000), []);
  t.strictSame(lines.next(at(25), 5000), ['25%, 25 of 100 MiB, 5.0 MiB/s, 0:15 left']);
  t.strictSame(lines.next(at(30), 9999), []);
  t.strictSame(lines.next(at(25), 10_000), [], 'nothing changed');
  t.strictSame(lines.next(at(50), 11_000), ['50%, 50 of 100 MiB, 5.0 MiB/s, 0:10 left']);
  t.strictSame(lines.next(doneStatus(), 11_001), ['succeeded: 100 of 100 MiB']);
});

test('a copy that is over at once has both lines', async (t) => {
  t.strictSame(new LogLines().next(doneStatus(), 0), [
    'copy from us-sw-1: 1 image, 100 MiB, 100% here already',
    'succeeded: 100 of 100 MiB',
  ]);
});

test('what is tried again is told with its reason', async (t) => {
  const lines = new LogLines();
  const base = copyImage({
    uuid: BASE,
    name: 'base',
    rate: 0,
    error: { code: 'Stalled', message: 'no byte for 30 s' },
  });
  const status = copyStatus({}, [base, copyImage({ state: 'queued', bytes_done: 0, rate: 0 })]);
  t.strictSame(lines.next(status, 0), ['copy from us-sw-1: 2 images, 200 MiB, 12% here already']);
  t.strictSame(lines.next({ ...status, bytes_done: 26 * MIB }, 5000), [
    '13%, 26 of 200 MiB, no bytes coming, 1f0e2d3c base@1.0.0 is being tried again: (Stalled) no byte for 30 s',
  ]);
});

test('a copy that waits for its turn says so', async (t) => {
  const lines = new LogLines();
  lines.next(at(0), 0);
  const waiting = copyStatus({ state: 'queued' }, [copyImage({ state: 'queued', bytes_done: 0, rate: 0 })]);
  t.strictSame(lines.next(waiting, 5000), ['0%, 0 of 100 MiB, waiting']);
});
