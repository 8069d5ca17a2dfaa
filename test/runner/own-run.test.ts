import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { type Test, test } from 'tap';
import { temporaryFolder } from '../helpers/imgapi.ts';
import { waitFor } from '../helpers/wait.ts';
import { removeLeftovers } from './own-run.ts';

const OWN_RUN = resolve('test/runner/own-run.ts');
/** A run with a process that outlives it, and a folder. */
const RUN = `
  import { spawn } from 'node:child_process';
  import { mkdtempSync } from 'node:fs';
  import { abortWhenInterrupted, beginRun } from '${OWN_RUN}';
  const run = beginRun();
  abortWhenInterrupted([run]);
  const env = { ...process.env, ...run.env };
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { env, detached: true, stdio: 'ignore' });
  mkdtempSync(run.env.TMPDIR + '/imgapi-test-');
  console.log(JSON.stringify({ folder: run.env.TMPDIR, server: child.pid }));
  setInterval(() => {}, 1000);
`;

interface Run {
  readonly child: ChildProcess;
  readonly folder: string;
  readonly server: number;
  kill(): Promise<void>;
}

async function startRun(t: Test, directory: string): Promise<Run> {
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', RUN], {
    // Not the run of the tests themselves: this one is to be over.
    env: { PATH: process.env['PATH'], TMPDIR: directory },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const gone = once(child, 'exit');
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const { folder, server } = JSON.parse(line);
  t.teardown(() => {
    for (const pid of [server, child.pid]) if (isRunning(pid)) process.kill(pid, 'SIGKILL');
  });
  return {
    ...{ child, folder, server },
    async kill() {
      child.kill('SIGKILL');
      await gone;
    },
  };
}

/** A process that has ended and that nobody waits for counts as ended. */
function isRunning(pid: number | undefined): pid is number {
  try {
    return pid !== undefined && !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

test('processes and folders of a run that was killed go with the next, those of one under way stay', async (t) => {
  const directory = await temporaryFolder(t);
  const [over, alive] = [await startRun(t, directory), await startRun(t, directory)];
  await over.kill();
  t.ok(isRunning(over.server), 'it outlives its run');
  t.strictSame(await removeLeftovers(directory), { folders: [over.folder], processes: [over.server] });
  await waitFor('the end of its process', () => !isRunning(over.server));
  t.notOk(existsSync(over.folder));
  t.ok(isRunning(alive.server));
  t.equal(readdirSync(alive.folder).length, 2);
});

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  test(`a run that gets ${signal} leaves neither processes nor its folder`, async (t) => {
    const run = await startRun(t, await temporaryFolder(t));
    const gone = once(run.child, 'exit');
    run.child.kill(signal);
    t.strictSame(await gone, [null, signal], 'it ends as it was told to');
    await waitFor('the end of its process', () => !isRunning(run.server));
    t.notOk(existsSync(run.folder));
  });
}

test('a process that took over the number of one of ours is left alone', async (t) => {
  const directory = await temporaryFolder(t);
  const folder = join(directory, 'imgapi-run-abcdef');
  mkdirSync(folder);
  const other = await startRun(t, await temporaryFolder(t));
  const owner = JSON.parse(readFileSync(join(other.folder, 'owner.json'), 'utf8'));
  writeFileSync(join(folder, 'owner.json'), JSON.stringify({ ...owner, started: '1' }));
  t.strictSame(await removeLeftovers(directory), { folders: [folder], processes: [] });
  t.ok(isRunning(other.child.pid));
  t.ok(isRunning(other.server));
});

test('folders whose owner cannot be told are left alone', async (t) => {
  const directory = await temporaryFolder(t);
  const run = await startRun(t, directory);
  const owner = readFileSync(join(run.folder, 'owner.json'), 'utf8');
  await run.kill();
  for (const text of ['', '{"pid":', JSON.stringify({ ...JSON.parse(owner), space: 'pid:[1]' })]) {
    writeFileSync(join(run.folder, 'owner.json'), text);
    t.strictSame(await removeLeftovers(directory), { folders: [], processes: [] });
  }
  t.ok(isRunning(run.server));
});

test('a disk that a killed run has mounted does not keep its folder', async (t) => {
  const directory = await temporaryFolder(t);
  const run = await startRun(t, directory);
  const disk = join(run.folder, 'disk');
  mkdirSync(disk);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk], { stdio: 'ignore' });
  } catch {
    t.pass('needs the right to mount a small file system');
    await run.kill();
    return;
  }
  writeFileSync(join(disk, 'file'), 'x');
  await run.kill();
  t.match(await removeLeftovers(directory), { folders: [run.folder] });
  t.strictSame(readdirSync(directory), []);
});

test('a run of tests that is killed leaves nothing to the one after', async (t) => {
  const directory = await temporaryFolder(t);
  const folder = t.testdir({
    'hangs.test.ts': `
      import { spawn } from 'node:child_process';
      import { mkdtempSync, writeFileSync } from 'node:fs';
      import { tmpdir } from 'node:os';
      import { test } from 'tap';
      test('hangs', async () => {
        const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
        const made = mkdtempSync(tmpdir() + '/imgapi-test-');
        writeFileSync('${directory}/made.json', JSON.stringify({ test: process.pid, server: child.pid, made }));
        await new Promise((resolve) => setTimeout(resolve, 3_600_000));
      });`,
    'passes.test.ts': "import { test } from 'tap';\ntest('passes', async (t) => { t.ok(true); });\n",
  });
  const { IMGAPI_TEST_RUN: _, ...env } = process.env;
  const start = (file: string) =>
    spawn(process.execPath, ['test/run.ts', '--output', join(folder, 'out'), join(folder, file)], {
      env: { ...env, TMPDIR: directory },
      stdio: 'ignore',
    });
  const first = start('hangs.test.ts');
  const note = await waitFor(
    'the test to hang',
    () => existsSync(`${directory}/made.json`) && `${directory}/made.json`,
  );
  const made = await waitFor('its note', () => JSON.parse(readFileSync(note, 'utf8') || 'false'));
  first.kill('SIGKILL');
  await once(first, 'exit');
  t.ok(existsSync(made.made));
  const [status] = await once(start('passes.test.ts'), 'exit');
  t.equal(status, 0);
  t.notOk(isRunning(made.test), 'the test has ended');
  t.notOk(isRunning(made.server), 'and what it started');
  t.strictSame(readdirSync(directory), ['made.json'], 'and all folders are gone');
});
