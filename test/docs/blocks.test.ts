import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { readCommands } from './runner/blocks.ts';
import { runDocument } from './runner/run-document.ts';
import { Shell } from './runner/shells.ts';

function written(t: Test, lines: readonly string[]): { file: string; shell: Shell } {
  const folder = t.testdir();
  const file = join(folder, 'page.md');
  writeFileSync(file, lines.join('\n'));
  return { file, shell: new Shell(folder, folder, {}) };
}

test('a document is read as its commands, whose shell they are for, and what they answer', async (t) => {
  const { file } = written(t, [
    ...['```', 'A=1', 'echo $A', '```', '', '```json', '{}', '```', ''],
    ...['*Not run by the tests: it needs a zone.*', '', '```', '$ svcadm restart imgapi', '```', ''],
    ...['```', 'bob$ echo one \\', '    two   # why', 'one two', '$ true', '```'],
  ]);
  t.strictSame(readCommands(file), {
    commands: [
      { line: 2, shell: '', text: 'A=1\necho $A', answer: [] },
      { line: 17, shell: 'bob', text: 'echo one \\\n    two   # why', answer: ['one two'] },
      { line: 20, shell: '', text: 'true', answer: [] },
    ],
    notRun: ['it needs a zone'],
  });
});

test('what was set and where one went is known to the next command', async (t) => {
  const { file, shell } = written(t, [
    '```',
    'A=one',
    'mkdir below; cd below',
    '```',
    'Then',
    '```',
    '$ echo $A $PWD',
    '```',
  ]);
  const after = { 'echo $A $PWD': ({ stdout }: { stdout: string }) => void t.match(stdout, /^one .*\/below$/m) };
  await runDocument(t, { file, shells: { '': shell }, values: {}, after });
});

test('a document that does not do what it says is found out', async (t) => {
  const found = async (lines: readonly string[], more: object = {}): Promise<boolean> => {
    const { file, shell } = written(t, lines);
    const results: boolean[] = [];
    const ears = {
      equal: (a: unknown, b: unknown) => results.push(a === b),
      strictSame: (a: unknown, b: unknown) => results.push(JSON.stringify(a) === JSON.stringify(b)),
    };
    await runDocument(ears as unknown as Test, { file, shells: { '': shell }, values: {}, ...more });
    return results.includes(false);
  };
  t.notOk(await found(['```', '$ echo copied 12 MiB in 0:01', 'copied 344 MiB in 0:12', '```']));
  t.ok(await found(['```', '$ false', '```']));
  t.ok(await found(['```', 'false', 'true', '```']), 'also in the middle of a script');
  t.ok(await found(['```', '$ false | cat', '```']), 'also in the middle of a pipe');
  t.ok(await found(['```', '$ curl -s file:///no/such/file', '```']));
  t.ok(await found(['```', '$ echo this', 'that', '```']), 'another answer');
  t.ok(await found(['*Not run by the tests: no.*', '```', '$ false', '```']), 'a block that nobody counted');
  t.ok(await found(['```', '$ true', '```'], { values: { IMAGE: 'x' } }), 'a value that is asked for nowhere');
});
