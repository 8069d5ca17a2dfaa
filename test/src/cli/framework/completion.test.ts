import { test } from 'tap';
import { candidates } from '#src/cli/framework/completion/candidates.ts';
import { completion } from '#src/cli/framework/completion/command.ts';
import { runCaptured } from '../capture.ts';
import { type Garden, garden } from './toy.ts';

const PROGRAM = {
  ...garden,
  commands: [
    ...garden.commands.map((command) =>
      command.name === 'plant'
        ? { ...command, options: { map: { type: 'value', value: 'FILE', help: 'Where.' } } as const }
        : command,
    ),
    completion<Garden>('garden'),
  ],
};

const LINES: Readonly<Record<string, readonly string[]>> = {
  '': ['water', 'w', 'plant', 'fail', 'completion', 'help'],
  w: ['water', 'w'],
  '--ho': ['--hose'],
  '--hose ': [],
  '--hose red p': ['plant'],
  '-l red p': ['plant'],
  '--hose=red p': ['plant'],
  'water s': ['stop'],
  'w --l': ['--litres'],
  'water -l ': [],
  'water east s': [],
  'water stop --': ['--hose', '--json', '--help'],
  'completion ': ['bash', 'zsh', 'fish'],
  'completion zsh ': [],
  'help w': ['water', 'w'],
  'help water ': ['stop'],
  'nothing ': [],
};

for (const [line, expected] of Object.entries(LINES)) {
  test(`after "garden ${line}" may come: ${expected.join(' ') || 'nothing that is known'}`, async (t) => {
    const { words, files } = candidates(PROGRAM, line.split(' '));
    t.strictSame(
      words.map(([word]) => word),
      expected,
    );
    t.equal(files, false);
  });
}

test('names of files are completed where they may stand', async (t) => {
  for (const line of ['plant --map ', 'plant --map a', 'plant --map = ', 'plant --map =']) {
    t.strictSame(candidates(PROGRAM, line.split(' ')), { words: [], files: true }, line);
  }
  t.equal(candidates(PROGRAM, ['plant', '--hose', '']).files, false);
});

test('shells are told a word and what it is for in each line', async (t) => {
  const ran = await runCaptured(PROGRAM, ['__complete', 'water', 's']);
  t.match(ran, { code: 0, stdout: 'stop\tstop the water\n', stderr: '' });
});
