import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';

const RUN = join(import.meta.dirname, '../run.ts');
const HEAD = "import { test } from 'tap';\n";
const PASSES = `${HEAD}test('adds', async (t) => { t.equal(1 + 1, 2); });\n`;
const SKIPS = `${HEAD}test('asks', { skip: 'no engine' }, async () => {});\ntest('waits', async (t) => { t.ok(true); });\n`;
const FAILS = `${HEAD}test('adds wrongly', async (t) => { t.equal(1 + 1, 3, 'one and one'); });\n`;
const CRASHES = `${HEAD}import './absent.ts';\ntest('never runs', async () => {});\n`;

function run(dir: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const { stdout, status } = spawnSync(process.execPath, [RUN, '--output', join(dir, 'out'), ...args], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  return { lines: stdout.trimEnd().split('\n'), stdout, status };
}

test('a run closes with its counts and succeeds when nothing failed', async (t) => {
  const dir = t.testdir({ 'a.test.ts': PASSES, 'b.test.ts': SKIPS });
  const { lines, stdout, status } = run(dir, [join(dir, 'a.test.ts'), join(dir, 'b.test.ts')]);
  t.equal(lines.at(-1), '2 passed, 0 failed, 1 skipped');
  t.match(stdout, /^skipped 1: no engine$/m);
  t.equal(status, 0);
  t.match(readFileSync(join(dir, 'out/test.tap'), 'utf8'), /^TAP version 14/);
});

test('failures and crashes are told in full and make the run fail', async (t) => {
  const dir = t.testdir({ 'a.test.ts': PASSES, 'b.test.ts': FAILS, 'c.test.ts': CRASHES });
  const files = ['a', 'b', 'c'].map((name) => join(dir, `${name}.test.ts`));
  const { stdout, status } = run(dir, ['--counts', join(dir, 'counts.json'), ...files]);
  t.match(stdout, /adds wrongly\n\s+one and one {2}\(.*b\.test\.ts:2\)/);
  t.match(stdout, /Cannot find module .*absent\.ts/);
  t.notMatch(stdout, /^\d+ passed, \d+ failed/m, 'who asks for the counts gets no closing line');
  t.strictSame(JSON.parse(readFileSync(join(dir, 'counts.json'), 'utf8')), { passed: 1, failed: 2, skipped: 0 });
  t.equal(status, 1);
});

test('a file that ends before its tests do fails, however it ends, and gets nothing of its runner but time', async (t) => {
  const dir = t.testdir({
    'a.test.ts': 'process.exit(0);\n',
    'b.test.ts': `${HEAD}test('dies', async (t) => { t.ok(1); process.kill(process.pid, 'SIGKILL'); });\n`,
    'c.test.ts': `${HEAD}test('is bare', async (t) => t.strictSame([process.env.NODE_OPTIONS, process.execArgv.length], [undefined, 2]));\n`,
  });
  const { lines, stdout, status } = run(
    dir,
    ['a', 'b', 'c'].map((name) => join(dir, `${name}.test.ts`)),
  );
  t.match(stdout, /a\.test\.ts\n\s+it ended with exit code 0/);
  t.match(stdout, /b\.test\.ts\n\s+it was ended by SIGKILL/);
  t.equal(lines.at(-1), '2 passed, 2 failed');
  t.equal(status, 1);
});

test('a file that fails beside others and passes alone counts as it does alone, and is named', async (t) => {
  const once = `${HEAD}import { existsSync, writeFileSync } from 'node:fs';
const seen = process.env['SEEN_BEFORE'];
test('knows', async (t) => { const is = existsSync(seen); writeFileSync(seen, ''); t.ok(is, 'was here'); });\n`;
  const dir = t.testdir({ 'a.test.ts': PASSES, 'b.test.ts': once, 'c.test.ts': FAILS });
  const env = { SEEN_BEFORE: join(dir, 'seen') };
  const [passes, accident, fails] = ['a', 'b', 'c'].map((name) => join(dir, `${name}.test.ts`)) as [
    string,
    string,
    string,
  ];
  const alone = run(dir, [passes, accident], env);
  t.equal(alone.lines.at(-1), '1 passed, 1 failed', 'nothing runs again unasked');
  rmSync(env.SEEN_BEFORE);
  const again = run(dir, ['--again', passes, accident], env);
  t.match(again.stdout, /was here/);
  t.match(again.stdout, /b\.test\.ts failed beside others and passed alone/);
  t.equal(again.lines.at(-1), '2 passed, 0 failed');
  t.equal(again.status, 0);
  const never = run(dir, ['--again', passes, fails], env);
  t.equal(never.lines.at(-1), '1 passed, 1 failed');
  t.equal(never.status, 1);
});

test('where every engine must be there a skip is a failure, and the counts of two runs are summed', async (t) => {
  const earlier = JSON.stringify({ passed: 10, failed: 0, skipped: 2 });
  const dir = t.testdir({ 'b.test.ts': SKIPS, 'counts.json': earlier });
  const args = ['--add', join(dir, 'counts.json'), join(dir, 'b.test.ts')];
  const { lines, stdout, status } = run(dir, args, { IMGAPI_ALL_ENGINES: '1' });
  t.equal(lines.at(-1), '11 passed, 1 failed, 2 skipped');
  t.match(stdout, /every engine must be here: no engine/);
  t.equal(status, 1);
});

test('a run without any test fails', async (t) => {
  const { lines, status } = run(t.testdir(), ['no/such/path']);
  t.strictSame(lines, ['no test file matches no/such/path', '0 passed, 1 failed']);
  t.equal(status, 1);
});
