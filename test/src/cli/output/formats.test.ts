import { test } from 'tap';
import { formatBytes, formatRate, formatShare } from '#src/cli/output/bytes.ts';
import { formatDuration, secondsBetween } from '#src/cli/output/duration.ts';
import { printable } from '#src/cli/output/printable.ts';
import { padEnd, padStart, textWidth, truncate } from '#src/cli/output/text-width.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

const BYTES: readonly [number, string][] = [
  [0, '0 B'],
  [1, '1 B'],
  [1023, '1023 B'],
  [KIB, '1.0 KiB'],
  [1536, '1.5 KiB'],
  [10 * KIB, '10 KiB'],
  [MIB - 1, '1.0 MiB'],
  [3.14 * GIB, '3.1 GiB'],
  [20 * GIB, '20 GiB'],
  [5000 * 1024 ** 5, '5000 PiB'],
];

for (const [bytes, text] of BYTES) {
  test(`${bytes} bytes are ${text}`, async (t) => {
    t.equal(formatBytes(bytes), text);
  });
}

test('a share is in the unit of the whole, and never looks whole before it is', async (t) => {
  t.equal(formatShare(0, 3 * GIB), '0 of 3.0 GiB');
  t.equal(formatShare(512 * MIB, 3 * GIB), '0.5 of 3.0 GiB');
  t.equal(formatShare(3 * GIB - 1, 3 * GIB), '2.9 of 3.0 GiB');
  t.equal(formatShare(3 * GIB, 3 * GIB), '3.0 of 3.0 GiB');
  t.equal(formatShare(0, 0), '0 of 0 B');
  t.equal(formatRate(85 * MIB), '85 MiB/s');
});

const DURATIONS: readonly [number, string][] = [
  [0, '0:00'],
  [7, '0:07'],
  [59.6, '1:00'],
  [750, '12:30'],
  [3 * 3600, '3:00:00'],
  [51 * 3600, '2d 03h'],
  [-5, '0:00'],
];

for (const [seconds, text] of DURATIONS) {
  test(`${seconds} seconds are ${text}`, async (t) => {
    t.equal(formatDuration(seconds), text);
  });
}

test('seconds between dates that are missing or none are not known', async (t) => {
  t.equal(secondsBetween('2017-10-17T21:00:00Z', '2017-10-17T21:01:05Z'), 65);
  t.equal(secondsBetween('2017-10-17T21:00:00Z', '2017-10-17T20:00:00Z'), 0);
  t.equal(secondsBetween(undefined, '2017-10-17T21:01:05Z'), undefined);
  t.equal(secondsBetween('yesterday', '2017-10-17T21:01:05Z'), undefined);
});

test('text from elsewhere cannot steer the terminal', async (t) => {
  t.equal(printable('a\u001b[2Jb'), 'a\\u{1b}[2Jb');
  t.equal(printable('a\u009bb'), 'a\\u{9b}b');
  t.equal(printable('two\nlines\tand a tab'), 'two lines and a tab');
  t.equal(printable('abc\u202egnp.exe'), 'abc\\u{202e}gnp.exe');
  t.equal(printable('naïve 日本 🙂'), 'naïve 日本 🙂');
});

test('width is counted in columns of the terminal', async (t) => {
  t.equal(textWidth('abc'), 3);
  t.equal(textWidth('日本'), 4);
  t.equal(textWidth('e\u0301'), 1);
  t.equal(padEnd('日本', 6), '日本  ');
  t.equal(padStart('ab', 4), '  ab');
});

test('what is cut shows as an ellipsis and fits', async (t) => {
  t.equal(truncate('abcdef', 6), 'abcdef');
  t.equal(truncate('abcdefg', 6), 'abcde…');
  t.equal(truncate('日本語', 4), '日…');
  t.equal(truncate('abc', 0), '');
});
