import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'tap';
import { waitFor } from '../helpers/wait.ts';
import { whatItDoes } from './what-it-does.ts';

const SPINS = `console.log('on'); setTimeout(function spins() { for (;;) Math.sqrt(2); }, 1);`;
const WAITS = `console.log('on'); setInterval(() => {}, 1e6);`;

for (const [name, source, answer] of [
  ['a file that spins is asked for its stack', SPINS, /^it runs:\nat spins \(.*file\.mjs:1\)/],
  ['a file that waits is asked for what', WAITS, /^it waits for: .*Timeout/],
] as const) {
  test(name, async (t) => {
    const file = join(t.testdir({ 'file.mjs': source }), 'file.mjs');
    const asked = async (): Promise<string> => {
      const child = spawn(process.execPath, ['--inspect-port=0', file], { stdio: ['ignore', 'pipe', 'pipe'] });
      t.teardown(() => child.kill('SIGKILL'));
      await once(child.stdout, 'data');
      const does = await whatItDoes(child);
      child.kill('SIGKILL');
      return does;
    };
    // On a busy machine a file may be asked while it is still saying that it is on.
    const does = await waitFor('a file that is asked after it said so', async () => {
      const told = await asked();
      return !told.includes('console') && told;
    });
    t.match(does, answer);
  });
}
