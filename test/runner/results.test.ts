import { test } from 'tap';
import { type FileResult, fileResults } from './results.ts';

function read(tap: string): FileResult[] {
  const results: FileResult[] = [];
  fileResults((result) => results.push(result)).end(`TAP version 14\n${tap}`);
  return results;
}

const counts = (tap: string) => read(tap).map((result) => result.counts);

/** The TAP of one file: its lines, indented, and the test point that closes it. */
function file(lines: string, closing = 'ok 1 - a.test.ts # time=20ms'): string {
  return `# Subtest: a.test.ts\n${lines.replaceAll(/^/gm, '    ')}\n${closing}\n1..1\n`;
}

const test1 = (lines: string, closing: string) =>
  `# Subtest: one\n${lines.replaceAll(/^/gm, '    ')}\n${closing} 1 - one\n1..1`;

test('a test with assertions counts once', async (t) => {
  t.strictSame(counts(file(test1('ok 1 - a\nok 2 - b\n1..2', 'ok'))), [{ passed: 1, failed: 0, skipped: 0 }]);
});

test('a test with tests below it counts as those', async (t) => {
  const below = '# Subtest: two\n    ok 1 - a\n    1..1\nok 1 - two\n# Subtest: three\n    1..0\nok 2 - three\n1..2';
  t.strictSame(counts(file(test1(below, 'ok'))), [{ passed: 2, failed: 0, skipped: 0 }]);
});

test('a test that fails beside the tests below it is one more failure', async (t) => {
  const below = '# Subtest: two\n    ok 1 - a\n    1..1\nok 1 - two\nnot ok 2 - after\n1..2';
  const [result] = read(file(test1(below, 'not ok'), 'not ok 1 - a.test.ts'));
  t.strictSame(result?.counts, { passed: 1, failed: 1, skipped: 0 });
  t.match(result?.failures, [{ path: ['a.test.ts', 'one'], message: 'after' }]);
});

test('skipped tests are told by their reason and never counted as passed', async (t) => {
  const [result] = read(file('ok 1 - one # SKIP no PostgreSQL\nok 2 - two # SKIP no PostgreSQL\n1..2'));
  t.strictSame(result?.counts, { passed: 0, failed: 0, skipped: 2 });
  t.strictSame([...(result?.skips ?? [])], [['no PostgreSQL', 2]]);
});

test('a file that ends before its test does is a failure', async (t) => {
  const [result] = read(file('# Subtest: one\n    ok 1 - a', 'not ok 1 - a.test.ts\n  ---\n  signal: SIGKILL\n  ...'));
  t.equal(result?.counts.failed, 1);
  t.match(result?.failures, [{ path: ['a.test.ts'], message: 'it was ended by SIGKILL' }]);
});

test('a file whose time is up is a failure under its own name', async (t) => {
  const [result] = read('not ok 1 - timeout!\n  ---\n  expired: test/slow.test.ts\n  ...\n1..1\n');
  t.match(result, { file: 'test/slow.test.ts', counts: { failed: 1 }, failures: [{ message: 'it ran out of time' }] });
});

test('a file without tests is a failure', async (t) => {
  const [result] = read('ok 1 - a.test.ts # SKIP no tests found\n1..1\n');
  t.match(result, { counts: { passed: 0, failed: 1, skipped: 0 }, failures: [{ message: 'the file has no tests' }] });
});
