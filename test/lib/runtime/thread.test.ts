import { once } from 'node:events';
import { test } from 'tap';
import { startThread } from '#lib/runtime/thread.ts';

const SCRIPT = new URL(
  "data:text/javascript,import { parentPort } from 'node:worker_threads';parentPort.postMessage(process.execArgv);",
);

test('a thread has stack traces as its process has them, and no other of its flags', async (t) => {
  for (const flags of [[], ['--enable-source-maps']]) {
    const before = process.execArgv;
    process.execArgv = [...flags, '--no-warnings'];
    const thread = startThread(SCRIPT, { name: 'flags', youngMib: 4, data: undefined });
    process.execArgv = before;
    thread.ref();
    const [said] = await once(thread, 'message');
    t.strictSame(said, flags);
    await thread.terminate();
  }
});
