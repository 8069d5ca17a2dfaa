import { test } from 'tap';
import { runCaptured } from '../capture.ts';
import { garden } from './toy.ts';

const PROGRAM = `garden - grows things

Usage:
    garden [OPTIONS] COMMAND [ARGUMENTS]
    garden help COMMAND

Commands:
    water, w    water plants
    water stop  stop the water
    plant       plant something
    fail        go wrong

Options:
    -l, --hose NAME  Which hose. Default: GARDEN_HOSE.
    -j, --json       Answer as JSON: a line for each result.
    -h, --help       Show this help.
        --version    Show the version.

Environment:
    GARDEN_HOSE  As --hose.

Exit status:
    0    done
    1    the operation failed; stderr says why
    2    the command line is wrong
    3    the server cannot be reached
    4    not found, or not visible to the caller
    130  interrupted by Ctrl-C
`;

const COMMAND = `garden water - water plants

Usage:
    garden water [OPTIONS] BED PLANT...

Takes the hose.

Also: garden w

Arguments:
    BED    Where.
    PLANT  Which ones.

Options:
    -l, --litres N       How much.
    -o, --only KIND,...  Which kinds.
    -F, --fast           In a hurry.

Common options:
        --hose NAME  Which hose. Default: GARDEN_HOSE.
    -j, --json       Answer as JSON: a line for each result.
    -h, --help       Show this help.

Examples:
    # one plant
    garden water east rose

Exit status:
    0    done
    1    the operation failed; stderr says why
    2    the command line is wrong
    3    the server cannot be reached
    4    not found, or not visible to the caller
    130  interrupted by Ctrl-C
`;

for (const args of [['--help'], ['-h'], ['help']]) {
  test(`garden ${args} shows all commands, options and exit statuses`, async (t) => {
    t.strictSame(await runCaptured(garden, args), { code: 0, stdout: PROGRAM, stderr: '' });
  });
}

for (const args of [
  ['water', '--help'],
  ['help', 'water'],
  ['w', '-h'],
  ['-h', 'water'],
  ['water', '--litrs', '-h'],
]) {
  test(`garden ${args.join(' ')} shows all about the command`, async (t) => {
    t.strictSame(await runCaptured(garden, args), { code: 0, stdout: COMMAND, stderr: '' });
  });
}

test('an optional argument is shown as one', async (t) => {
  const { stdout } = await runCaptured(garden, ['water', 'stop', '--help']);
  t.match(stdout, /Usage:\n {4}garden water stop \[OPTIONS\] \[WHEN\]\n/);
});
