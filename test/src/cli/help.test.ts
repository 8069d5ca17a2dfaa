/** What the help of each command says, read of the tables of the commands: in a narrow terminal, and of tables. */
import { test } from 'tap';
import type { Program } from '#src/cli/framework/command.ts';
import { EXIT } from '#src/cli/framework/exit-codes.ts';
import { TABLE_OPTIONS } from '#src/cli/framework/table-options.ts';
import { imgapiadm } from '#src/cli/imgapiadm/program.ts';
import { tritonImage } from '#src/cli/triton-image/program.ts';
import { CapturedSink, runCaptured } from './capture.ts';

/** Wider lines than that, but for one word that is longer itself, and for what is there to be copied. */
function tooWide(help: string, width: number): string[] {
  let isExample = false;
  return help.split('\n').filter((line) => {
    if (/^\S/.test(line)) isExample = line === 'Examples:';
    const isWord = /^ *(-\w, )?\S+( \S+)?$/.test(line) && (/^ *-/.test(line) || !line.trim().includes(' '));
    return line.length > width && !isWord && !(isExample && !line.trim().startsWith('#'));
  });
}

function check<Context>(name: string, program: Program<Context>): void {
  const commands = program.commands.map((command) => command.name.split(' '));

  for (const width of [40, 60, 80]) {
    test(`in ${width} columns no help of ${name} is wider`, async (t) => {
      for (const words of [['--help'], ...commands.map((command) => [...command, '--help'])]) {
        const { code, stdout } = await runCaptured(program, words, { env: { COLUMNS: String(width) } });
        t.equal(code, EXIT.ok);
        t.same(tooWide(stdout, width), [], words.join(' '));
        const terminal = new CapturedSink(true, width);
        await runCaptured(program, words, { stdout: terminal });
        t.equal(terminal.text, stdout, 'the size of the terminal says the same');
      }
    });
  }

  test(`what ${name} shows as a table has the options of tables, and its help names the columns`, async (t) => {
    for (const { name: command, options, description = [] } of program.commands) {
      const has = Object.keys(TABLE_OPTIONS).filter((option) => option in options);
      const names = description.some((text) => /\bColumns\b/.test(text));
      t.same(has, names ? Object.keys(TABLE_OPTIONS) : [], command);
    }
  });

  test(`the help of each command of ${name} has all exit statuses`, async (t) => {
    for (const command of commands) {
      const { stdout } = await runCaptured(program, [...command, '--help']);
      for (const status of Object.values(EXIT)) t.match(stdout, new RegExp(`\n {4}${status} +\\w`), command.join(' '));
    }
  });

  test(`what an option or an argument of ${name} must be is said once`, async (t) => {
    for (const { name: command, options, arguments: specs } of program.commands) {
      for (const [what, { check: right }] of Object.entries({ ...options, ...specs, ...program.options })) {
        t.notMatch(right?.('\u0007') ?? '', /^(it )?must /, `${command} ${what}`);
      }
    }
  });

  test(`a command of ${name} that is mistyped is answered with what was meant`, async (t) => {
    for (const command of program.commands) {
      if (command.name.length < 4) continue;
      const typed = command.name.replace(/(.)(.)$/, '$2$1');
      if (typed === command.name) continue;
      const { code, stderr } = await runCaptured(program, typed.split(' '));
      t.equal(code, EXIT.usage);
      t.match(stderr, 'did you mean "', typed);
    }
  });
}

check('imgapiadm', imgapiadm);
check('triton-image', tritonImage);

test('a width that is none is not heeded, and none is more than 80 columns', async (t) => {
  const at = async (COLUMNS: string) => (await runCaptured(imgapiadm, ['--help'], { env: { COLUMNS } })).stdout;
  const usual = await at('80');
  for (const odd of ['', '0', '-5', 'wide', '1e9', '9999', '80.5']) t.equal(await at(odd), usual, odd);
  t.equal(await at('3'), await at('40'));
});
