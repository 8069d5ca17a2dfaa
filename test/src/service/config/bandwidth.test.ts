/** `copies.bandwidth` as people write it. */
import { test } from 'tap';
import { loadConfig } from '#src/service/config/load.ts';

async function bandwidthOf(east: unknown): Promise<unknown> {
  const { config } = await loadConfig(undefined, { copies: { bandwidth: { east } } });
  return config.copies.bandwidth['east'];
}

async function problemsOf(east: unknown): Promise<readonly string[]> {
  const error: unknown = await bandwidthOf(east).catch((thrown: unknown) => thrown);
  return (error as { problems?: string[] }).problems ?? [];
}

test('A rate is a number with a unit: bits and bytes in powers of ten, and bytes in powers of 1024', async (t) => {
  const rates = {
    ...{ '8 b/s': 1, '8 kb/s': 1000, '200 Mb/s': 25_000_000, '1 Gb/s': 125_000_000 },
    ...{ '1 B/s': 1, '1 kB/s': 1000, '50 MB/s': 50_000_000, '1 GB/s': 1_000_000_000 },
    ...{ '1 KiB/s': 1024, '50 MiB/s': 52_428_800, '1 GiB/s': 1_073_741_824 },
    ...{ '2.5 Gb/s': 312_500_000, '0.5 MB/s': 500_000, '200Mb/s': 25_000_000, ' 200  Mb/s ': 25_000_000 },
  };
  for (const [text, bytesPerSecond] of Object.entries(rates)) {
    t.strictSame(await bandwidthOf(text), [{ bytesPerSecond }], text);
  }
});

test('A text with times is a window, alone, in a list, and beside objects', async (t) => {
  const day = { from: '08:00', to: '18:00', bytesPerSecond: 25_000_000 };
  t.strictSame(await bandwidthOf('200 Mb/s 08:00-18:00'), [day]);
  t.strictSame(await bandwidthOf('200Mb/s  08:00 - 18:00'), [day]);
  const night = { from: '18:00', to: '08:00', bytesPerSecond: 125_000_000 };
  t.strictSame(await bandwidthOf(['200 Mb/s 08:00-18:00', '1 Gb/s 18:00-08:00']), [day, night]);
  t.strictSame(await bandwidthOf([day, '1 Gb/s']), [day, { bytesPerSecond: 125_000_000 }]);
  t.equal(await bandwidthOf(1000), 1000);
});

test('A text that is wrong is refused with the value, and what is wrong with it', async (t) => {
  const wrong = {
    '': /it must begin with a rate/,
    'fast 08:00-18:00': /it must begin with a rate/,
    '08:00-18:00 200 Mb/s': /it must begin with a rate|":00-18:00" is not a unit/,
    '-1 Mb/s': /it must begin with a rate/,
    '1.2.3 Mb/s': /it must begin with a rate/,
    '200': /200 has no unit; the units are b\/s, kb\/s, Mb\/s, Gb\/s, B\/s/,
    '200 08:00-18:00': /200 has no unit/,
    '200 Mbps': /"Mbps" is not a unit; the units are b\/s/,
    '200 mb/s 08:00-18:00': /"mb\/s" is not a unit/,
    '1 constructor': /"constructor" is not a unit/,
    '0 Mb/s': /at least one byte per second/,
    '1 b/s': /at least one byte per second/,
    '99999999999 GB/s': /less than 2\^53/,
    '200 Mb/s 08:00': /"08:00" is not a window; it must be two times of day in UTC, such as 08:00-18:00/,
    '200 Mb/s always': /"always" is not a window/,
    '200 Mb/s 8:00-18:00': /"8:00" is not a time of day in UTC, from 00:00 to 23:59/,
    '200 Mb/s 08:00-24:00': /"24:00" is not a time of day/,
    '200 Mb/s 08:00-18:00 CET': /"18:00 CET" is not a time|is not a window/,
    '200 Mb/s 08:00-18:00-20:00': /is not a time|is not a window/,
  };
  for (const [text, what] of Object.entries(wrong)) {
    const [problem, ...more] = await problemsOf(text);
    const begin = `copies.bandwidth.east: ${JSON.stringify(text)} is not right; `;
    t.equal(problem?.slice(0, begin.length), begin);
    t.match(problem, what);
    t.strictSame(more, []);
  }
});

test('Of a list, each text that is wrong is told by its place', async (t) => {
  const problems = await problemsOf(['200 Mb/s', '1 Gb', '1 Gb/s 25:00-26:00']);
  t.equal(problems.length, 2, 'and of the list as such nothing else');
  t.match(problems, [
    /^copies\.bandwidth\.east\[1\]: "1 Gb" is not right; "Gb" is not a unit/,
    /^copies\.bandwidth\.east\[2\]: "1 Gb\/s 25:00-26:00" is not right; "25:00" is not a time/,
  ]);
  t.match(await problemsOf([1000]), [/^copies\.bandwidth\.east\[0\]: 1000 is not right; it must be a text such as/]);
  const { unknownKeys } = await loadConfig(undefined, {
    copies: { bandwidth: { east: [{ from: '08:00', to: '18:00', bytesPerSecond: 1, note: 'day' }] } },
  });
  t.strictSame(
    unknownKeys,
    ['copies.bandwidth.east[0].note'],
    'a key that is not known is only pointed out, as anywhere',
  );
  t.match(await problemsOf(true), [/it must be a whole number of bytes per second, 1 or more, a text/]);
});

test('A long text is looked at in no time', async (t) => {
  const [problem] = await problemsOf(`1 Mb/s ${'- '.repeat(50_000)}`);
  t.match(problem, /is not a/);
  t.match(await problemsOf(`1${' '.repeat(100_000)}x`), [/is not a unit/]);
});
