/** The log, when it cannot be written: nothing throws, lines are counted, and it goes on when it can. */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import bunyan from 'bunyan';
import t from 'tap';
import { droppedLines, infoWriter, LogLines } from '#lib/runtime/log.ts';
import { FileOutput, type LogOutput, StreamOutput } from '#lib/runtime/log-output.ts';
import { temporaryFolder } from '../../helpers/imgapi.ts';

class Output implements LogOutput {
  dropped = 0;
  isFull = false;
  text = '';

  write(text: string): boolean {
    if (this.isFull) this.dropped += text.split('\n').length - 1;
    else this.text += text;
    return !this.isFull;
  }
}

function logTo(output: LogOutput): bunyan {
  const stream = new LogLines(output, 'x');
  return bunyan.createLogger({ name: 'x', streams: [{ type: 'raw', level: 'trace', stream }] });
}

t.test('lines that could not be written are counted, and told of when one can be', async (t) => {
  const output = new Output();
  const log = logTo(output);
  output.isFull = true;
  log.error('one');
  log.error('two');
  t.equal(droppedLines(log), 2);
  t.equal(output.text, '');
  output.isFull = false;
  log.error('three');
  log.error('four');
  const lines = output.text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  t.match(lines, [
    { dropped: 2, level: 40, name: 'x', pid: process.pid, msg: 'log lines could not be written' },
    { msg: 'three' },
    { msg: 'four' },
  ]);
  t.equal(lines.length, 3);
});

t.test('what cannot be made JSON is no error of the logger', async (t) => {
  const output = new Output();
  const log = logTo(output);
  const loop: Record<string, unknown> = {};
  loop['self'] = loop;
  log.error({ loop }, 'a loop');
  log.error(
    {
      bad: {
        toJSON: () => {
          throw new Error('no');
        },
      },
    },
    'no JSON',
  );
  log.error({ number: 1n }, 'a bigint');
  const lines = output.text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  t.match(lines, [{ msg: 'a loop' }, { msg: 'no JSON' }, { msg: 'a bigint' }]);
});

t.test('a full disk drops lines', async (t) => {
  const fd = openSync('/dev/full', 'w');
  t.teardown(() => closeSync(fd));
  const output = new FileOutput(fd);
  t.notOk(output.write('a\nb\n'));
  t.notOk(output.write('c\n'));
  t.equal(output.dropped, 3);
});

t.test('a file takes lines again when it can', async (t) => {
  const path = join(await temporaryFolder(t), 'log');
  const fd = openSync(path, 'a');
  t.teardown(() => closeSync(fd));
  const output = new FileOutput(fd);
  t.ok(output.write('a\n'));
  writeSync(fd, '');
  t.ok(output.write('b\nc\n'));
  t.equal(readFileSync(path, 'utf8'), 'a\nb\nc\n');
  t.equal(output.dropped, 0);
  const closed = new FileOutput(-1);
  t.notOk(closed.write('a\n'));
  t.equal(closed.dropped, 1);
});

t.test('a reader that is gone, or does not read, costs no memory', async (t) => {
  const stream = new PassThrough({ highWaterMark: 10 });
  const output = new StreamOutput(stream as unknown as NodeJS.WriteStream);
  const line = `${'x'.repeat(100_000)}\n`;
  for (let turn = 0; turn < 100; turn += 1) output.write(line);
  t.ok(stream.writableLength < 2_000_000);
  t.ok(output.dropped > 80);
  stream.destroy(new Error('EPIPE'));
  t.notOk(output.write('a\nb\n'));
});

t.test('no line has a character that a terminal obeys, and each is one line', async (t) => {
  const output = new Output();
  const log = logTo(output);
  const hostile = 'a\u001b[2J\n{"level":50}\r\u009b31m\u202e\u2028\u007f';
  infoWriter(log, hostile)({ url: hostile });
  log.error({ name: hostile, err: new Error(hostile) }, hostile);
  const lines = output.text.trimEnd().split('\n');
  t.equal(lines.length, 2);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what must not be there
  t.notMatch(output.text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/);
  t.equal(JSON.parse(lines[1] ?? '').msg, hostile, 'and it is read as it was');
});
