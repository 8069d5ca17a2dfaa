import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { type Test, test } from 'tap';
import { hasDied, newProcessName } from '#lib/runtime/process-name.ts';
import { waitFor } from '../../helpers/wait.ts';

const skip = process.platform !== 'linux' && 'only Linux tells what is needed';
const MODULE = new URL('../../../lib/runtime/process-name.ts', import.meta.url).href;
/** Says its name, and lives until it is killed. */
const SAYS_ITS_NAME = `console.log((await import(${JSON.stringify(MODULE)})).newProcessName()); setInterval(() => {}, 1000);`;

async function startNamed(t: Test): Promise<{ child: ChildProcess; name: string }> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', SAYS_ITS_NAME], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  const [name] = await once(createInterface({ input: child.stdout }), 'line');
  return { child, name: String(name) };
}

test('A process is dead when it was killed, not when it was paused', { skip }, async (t) => {
  const { child, name } = await startNamed(t);
  t.notOk(hasDied(name));
  child.kill('SIGSTOP');
  t.notOk(hasDied(name));
  child.kill('SIGKILL');
  await waitFor('its death', () => hasDied(name));
});

test('A process that has the id of another one is not taken for it', { skip }, async (t) => {
  const [pid, start, ...rest] = newProcessName().split('.');
  t.notOk(hasDied([pid, start, ...rest].join('.')));
  t.ok(hasDied([pid, Number(start) - 1, ...rest].join('.')), 'the one before it is dead');
});

test('Nothing is said of a process on another host, in another namespace, or of no known form', { skip }, async (t) => {
  const { child, name } = await startNamed(t);
  child.kill('SIGKILL');
  await once(child, 'exit');
  t.ok(hasDied(name));
  const [pid = '', start = '', host = '', uuid = ''] = name.split('.');
  const elsewhere = host.replace(/^./, (digit) => (digit === '0' ? '1' : '0'));
  for (const other of [`${pid}.${start}.${elsewhere}.${uuid}`, `${pid}.${uuid}`, uuid, '', 'x']) {
    t.notOk(hasDied(other), other);
  }
});

test('No two names are the same', async (t) => {
  t.not(newProcessName(), newProcessName());
});
