import { test } from 'tap';
import { LiveRegion } from '#src/cli/output/live-region.ts';
import { Output, ReaderGoneError } from '#src/cli/output/output.ts';
import { CapturedSink } from '../capture.ts';

function captured(isTTY = false) {
  const [stdout, stderr] = [new CapturedSink(), new CapturedSink(isTTY)];
  return { stdout, stderr, output: new Output(stdout, stderr) };
}

test('results and remarks have streams of their own', async (t) => {
  const { stdout, stderr, output } = captured();
  output.line('a');
  output.note('b');
  output.document({ a: 1 });
  output.json({ a: 1 });
  output.jsonLines([2, 3]);
  t.equal(stdout.text, 'a\n{\n  "a": 1\n}\n{"a":1}\n2\n3\n');
  t.equal(stderr.text, 'b\n');
});

test('JSON holds no character that a terminal obeys', async (t) => {
  const { stdout, output } = captured();
  output.json({ name: 'a\u001b\u009b\u007f' });
  t.equal(stdout.text, '{"name":"a\\u001b\\u009b\\u007f"}\n');
});

test('what is said to people holds none either, but for its lines', async (t) => {
  const { stdout, stderr, output } = captured();
  output.line('a\u001b[2J\n\tb\u009b\r');
  output.note('c\u202e\u0007');
  t.equal(stdout.text, 'a\\u{1b}[2J\n\tb\\u{9b}\\u{d}\n');
  t.equal(stderr.text, 'c\\u{202e}\\u{7}\n');
});

test('nothing is written to a reader that is gone', async (t) => {
  const { stdout, output } = captured();
  stdout.emit('error', Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
  output.line('a');
  t.equal(stdout.text, '');
  t.ok(output.closed.reason instanceof ReaderGoneError);
});

test('only a terminal has a size', async (t) => {
  t.equal(captured().output.terminal, undefined);
  t.strictSame(captured(true).output.terminal, { columns: 100, rows: 24 });
});

/** What a terminal shows after such a text: only what live regions use is understood. */
function screen(text: string): string[] {
  const lines = [''];
  let row = 0;
  for (const [part] of text.matchAll(/\p{Cc}\[(?:\d+A|2K|J)|\r|\n|\P{Cc}+/gu)) {
    const up = /^\p{Cc}\[(\d+)A$/u.exec(part);
    if (up) row -= Number(up[1]);
    else if (part === '\u001b[2K') lines[row] = '';
    else if (part === '\u001b[J') lines.splice(row, lines.length, '');
    else if (part === '\n') lines[++row] ??= '';
    else if (part !== '\r') lines[row] = part;
  }
  return lines;
}

test('lines are redrawn in place, also when they get fewer', async (t) => {
  const { stderr, output } = captured(true);
  output.note('before');
  const region = new LiveRegion(output);
  region.draw(['one 1%', 'two 1%']);
  t.strictSame(screen(stderr.text), ['before', 'one 1%', 'two 1%', '']);
  region.draw(['one 2%', 'two 9%']);
  t.strictSame(screen(stderr.text), ['before', 'one 2%', 'two 9%', '']);
  region.draw(['one 3%']);
  t.strictSame(screen(stderr.text), ['before', 'one 3%', '']);
});

test('a remark stays above the lines', async (t) => {
  const { stderr, output } = captured(true);
  const region = new LiveRegion(output);
  region.draw(['one 1%']);
  region.note('look');
  region.draw(['one 2%']);
  t.strictSame(screen(stderr.text), ['look', 'one 2%', '']);
});
