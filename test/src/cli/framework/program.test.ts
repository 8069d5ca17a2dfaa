import { test } from 'tap';
import { CapturedSink, runCaptured } from '../capture.ts';
import { garden, gardens } from './toy.ts';

const run = (...args: string[]) => runCaptured(garden, args);

const WELL: readonly [what: string, args: readonly string[], seen: object][] = [
  ['arguments', ['water', 'east', 'rose', 'fern'], { args: { BED: 'east', PLANT: ['rose', 'fern'] } }],
  ['an alias', ['w', 'east', 'rose'], { args: { BED: 'east' } }],
  ['what is not given', ['water', 'east', 'rose'], { options: [null, [], false], hose: 'green', json: false }],
  ['options before arguments', ['water', '-l', '3', '--fast', 'east', 'rose'], { options: ['3', [], true] }],
  [
    'options after arguments',
    ['water', 'east', 'rose', '--litres=3', '--json'],
    { options: ['3', [], false], json: true },
  ],
  ['the last of repeated values', ['water', '-l3', '-l', '4', 'east', 'rose'], { options: ['4', [], false] }],
  [
    'lists, repeated and with commas',
    ['water', '-o', 'a,b', '--only', 'c', 'e', 'r'],
    { options: [null, ['a', 'b', 'c'], false] },
  ],
  ['short options in one', ['water', '-Fl3', 'east', 'rose'], { options: ['3', [], true] }],
  ["the program's options before the command", ['--hose', 'red', 'water', 'east', 'rose'], { hose: 'red' }],
  ["the program's short options before the command", ['-l', 'red', 'water', 'east', 'rose'], { hose: 'red' }],
  [
    "the program's option of a letter that the command needs itself, if it comes first",
    ['-lred', 'w', '-l3', 'e', 'r'],
    { hose: 'red', options: ['3', [], false] },
  ],
  ["the program's short options after a command that needs them not", ['plant', '-l', 'red', 'rose'], { hose: 'red' }],
  ['a first argument that may be left out', ['plant', 'east', 'rose'], { args: { BED: 'east', PLANT: 'rose' } }],
  ["the program's options after the command", ['water', 'east', 'rose', '--hose', 'red'], { hose: 'red' }],
  ['a value that is the name of a command', ['--hose', 'fail', 'water', 'east', 'rose'], { hose: 'fail' }],
  [
    'what follows two dashes as arguments',
    ['water', 'east', '--', '--fast'],
    { args: { BED: 'east', PLANT: ['--fast'] } },
  ],
  [
    'a value that begins with a dash, written as one word',
    ['water', '--only=-x', 'e', 'r'],
    { options: [null, ['-x'], false] },
  ],
];

for (const [what, args, seen] of WELL) {
  test(`a command is given ${what}`, async (t) => {
    const { code, stdout, stderr } = await run(...args);
    t.strictSame([code, stderr], [0, '']);
    t.match(JSON.parse(stdout), seen);
  });
}

test('of arguments that are fewer than they could be, the optional one is left out', async (t) => {
  t.strictSame(JSON.parse((await run('plant', 'rose')).stdout).args, { PLANT: 'rose' });
});

const WRONG: readonly [args: readonly string[], message: string, help: string][] = [
  [[], 'no command given', 'garden help'],
  [['watr'], 'unknown command "watr"; did you mean "water"?', 'garden help'],
  [['dig'], 'unknown command "dig"', 'garden help'],
  [['help', 'dig'], 'unknown command "dig"', 'garden help'],
  [['--hoes', 'water'], 'unknown option --hoes; did you mean "--hose"?', 'garden help'],
  [['--fast', 'water'], 'unknown option --fast', 'garden help'],
  [['water'], 'missing BED and PLANT', 'garden water --help'],
  [['plant'], 'missing PLANT', 'garden plant --help'],
  [['plant', 'a', 'b', 'c'], 'unexpected argument "c"', 'garden plant --help'],
  [
    ['-l', '--hose', 'water'],
    'option --hose needs a value, and --hose looks like an option; if it is the value, write --hose=--hose',
    'garden water --help',
  ],
  [['water', 'east'], 'missing PLANT', 'garden water --help'],
  [['fail', 'a', 'b', 'c'], 'unexpected arguments "b", "c"', 'garden fail --help'],
  [['water', 'e', 'r', '--litre', '3'], 'unknown option --litre; did you mean "--litres"?', 'garden water --help'],
  [['water', 'e', 'r', '-x'], 'unknown option -x', 'garden water --help'],
  [['water', 'e', 'r', '--version'], 'unknown option --version', 'garden water --help'],
  [['water', 'e', 'r', '-l'], 'option -l needs a value: -l N', 'garden water --help'],
  [['water', 'e', 'r', '--litres='], 'option --litres needs a value: --litres N', 'garden water --help'],
  [
    ['water', 'e', 'r', '--litres', '--fast'],
    'option --litres needs a value, and --fast looks like an option; if it is the value, write --litres=--fast',
    'garden water --help',
  ],
  [['water', 'e', 'r', '-l', 'x'], 'option -l is "x"; it must be a number', 'garden water --help'],
  [['water', 'e', 'r', '--fast=yes'], 'option --fast takes no value, but "yes" was given', 'garden water --help'],
  [['water', 'stop', 'noon'], 'it cannot be stopped at noon', 'garden water stop --help'],
];

for (const [args, message, help] of WRONG) {
  test(`garden ${args.join(' ')}: exit status 2, and why`, async (t) => {
    t.strictSame(await run(...args), {
      code: 2,
      stdout: '',
      stderr: `garden: error (Usage): ${message}\n    see: ${help}\n`,
    });
  });
}

test('a command of two words goes before the one of its first word', async (t) => {
  t.equal((await run('water', 'stop')).code, 4);
  t.equal((await run('--hose', 'red', 'water', 'stop')).code, 4);
});

test('the version is that of the program', async (t) => {
  t.strictSame(await run('--version'), { code: 0, stdout: 'garden 1.2.3\n', stderr: '' });
});

test("a failure's code, message and details are told, each on a line of its own", async (t) => {
  t.strictSame(await run('fail', 'known'), {
    code: 1,
    stdout: '',
    stderr: 'garden: error (Weather): bad weather\n    rain\n    wind\n',
  });
});

test('a failure that only the program understands is told as it explains it', async (t) => {
  t.strictSame(await run('fail', 'foreign'), { code: 3, stdout: '', stderr: 'garden: error (Far): too far\n' });
});

test('a failure that nobody foresaw is told with where it came from', async (t) => {
  const { code, stderr } = await run('fail', 'bug');
  t.equal(code, 1);
  t.match(stderr, /^garden: error \(Internal\): a bug\n {4}at .*toy\.ts/);
});

test('an interrupted command ends with 130 and says nothing', async (t) => {
  const signal = AbortSignal.abort();
  t.strictSame(await runCaptured(garden, ['fail', 'aborted'], { signal }), { code: 130, stdout: '', stderr: '' });
});

test('a reader that goes away is no failure', async (t) => {
  const stdout = new CapturedSink();
  stdout.write = () => {
    stdout.emit('error', Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
  };
  t.match(await runCaptured(garden, ['water', 'e', 'r'], { stdout }), { code: 0, stderr: '' });
});

test('output that cannot be written is a failure', async (t) => {
  const stdout = new CapturedSink();
  stdout.write = () => {
    stdout.emit('error', Object.assign(new Error('no space left'), { code: 'ENOSPC' }));
  };
  const { code, stderr } = await runCaptured(garden, ['water', 'e', 'r'], { stdout });
  t.equal(code, 1);
  t.equal(stderr, 'garden: error (Output): standard output takes no more: no space left\n');
});

test('what commands share is closed after each, however it ended', async (t) => {
  gardens.length = 0;
  await run('water', 'e', 'r');
  await run('fail', 'bug');
  t.strictSame(
    gardens.map(({ closed }) => closed),
    [true, true],
  );
});

test('the environment reaches what commands share', async (t) => {
  const { stdout } = await runCaptured(garden, ['water', 'e', 'r'], { env: { GARDEN_HOSE: 'blue' } });
  t.match(JSON.parse(stdout), { hose: 'blue' });
});

test('an error is one line, whatever the server calls it', async (t) => {
  const explain = () => ({
    code: 'Bad\ngarden: done',
    message: 'no\u001b[2J\nluck',
    details: ['a\nb'],
    exitCode: 1 as const,
  });
  const { code, stderr } = await runCaptured({ ...garden, explain }, ['fail', 'unknown']);
  t.equal(code, 1);
  t.equal(stderr, 'garden: error (Bad garden: done): no\\u{1b}[2J luck\n    a b\n');
});
