/** Several processes on one directory. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { type Test, test } from 'tap';
import { openLocalStore } from '#lib/objects/local/store.ts';
import { bytes, collect, get, hashesOf, MIB, pieces, same } from '../../conformance/objects/harness.ts';

const CHILD = { execArgv: [], env: { PATH: process.env['PATH'] } };
const RACES = 100;

function script(name: string): string {
  return new URL(`./children/${name}.ts`, import.meta.url).pathname;
}

async function endOf(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
}

/** Starts a writer and kills it without warning once it has flushed `size` bytes; answers how many it flushed. */
async function killWriterAt(t: Test, root: string, session: string, size: number): Promise<number> {
  const child = spawn(process.execPath, [script('writer'), root, session, '1'], {
    ...CHILD,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => endOf(child));
  let flushed = 0;
  for await (const line of createInterface(child.stdout)) {
    flushed = Number(line);
    if (flushed >= size) child.kill('SIGKILL');
  }
  await endOf(child);
  t.ok(flushed >= size, `the writer came to ${flushed} bytes`);
  t.equal(child.signalCode, 'SIGKILL');
  return flushed;
}

test('what a killed process had flushed is taken over by another', async (t) => {
  const root = t.testdir();
  const flushed = await killWriterAt(t, root, 'killed', 20 * MIB);
  const store = await openLocalStore({ root });
  t.teardown(() => store.close());
  const [staged] = await store.sessions();
  t.match(staged, { session: 'killed' });
  t.ok((staged?.size ?? 0) >= flushed);
  const session = await store.open({ path: 'x', session: 'next', takeOver: { session: 'killed', upTo: flushed } });
  t.equal(session.size, flushed);
  const wanted = Buffer.concat(Array.from({ length: flushed / MIB }, () => bytes(MIB, 1)));
  t.strictSame(await session.hashes(), hashesOf(wanted));
  await session.append(pieces(bytes(5)));
  await session.commit();
  same(t, await get(store, 'x'), Buffer.concat([wanted, bytes(5)]), 'read');
  await store.discard('killed');
  t.strictSame(await store.sessions(), []);
});

test('the bytes of a killed process count against the quota of the next', async (t) => {
  const root = t.testdir();
  await killWriterAt(t, root, 'killed', 8 * MIB);
  const store = await openLocalStore({ root, quota: 100 * MIB });
  t.teardown(() => store.close());
  const [staged] = await store.sessions();
  t.equal(await store.free(), 100 * MIB - (staged?.size ?? 0));
  await store.discard('killed');
  t.equal(await store.free(), 100 * MIB);
});

test('a discard and a commit in two processes: exactly one happens', async (t) => {
  const root = t.testdir();
  const store = await openLocalStore({ root });
  const child = fork(script('committer'), [root], CHILD);
  t.teardown(async () => {
    await endOf(child);
    await store.close();
  });
  const ask = async (message: { stage: string } | 'commit'): Promise<string> => {
    const answered = once(child, 'message');
    child.send(message);
    const [answer] = await answered;
    return answer;
  };
  const seen = new Set<string>();
  for (let turn = 0; turn < RACES; turn += 1) {
    const name = `s${turn}`;
    t.equal(await ask({ stage: name }), 'staged');
    const committing = ask('commit');
    // Some discards go out early, some late, so that both sides win now and then.
    for (let wait = turn % 10; wait > 0; wait -= 1) await new Promise((resolve) => setImmediate(resolve));
    await store.discard(name);
    const visibleThen = (await store.info(`race/${name}`)) !== undefined;
    const outcome = await committing;
    const visibleNow = (await store.info(`race/${name}`)) !== undefined;
    t.equal(visibleNow, outcome === 'committed', `${name}: ${outcome}`);
    t.equal(visibleThen, visibleNow, 'nothing appears after the discard returned');
    seen.add(outcome);
  }
  t.comment(`outcomes: ${[...seen].join(', ')}`);
  t.ok([...seen].every((outcome) => outcome === 'committed' || outcome === 'SessionGoneError'));
  t.strictSame(await store.sessions(), []);
});

test('the threads that hash keep no process alive, and are waited for while they work', async (t) => {
  const program = `
    import { openLocalStore } from '#lib/objects/local/store.ts';
    const store = await openLocalStore({ root: process.argv[1] });
    const session = await store.open({ path: 'x', session: 'one' });
    await session.append((async function* () { for (let n = 0; n < 40; n += 1) yield Buffer.alloc(1 << 20, n); })());
    console.log((await session.hashes()).sha1);
    await session.commit();
    console.log('end of the program');`;
  const args = ['--input-type=module', '--eval', program, t.testdir()];
  const child = spawn(process.execPath, args, { ...CHILD, stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => endOf(child));
  const [output, [code]] = await Promise.all([collect(child.stdout), once(child, 'exit')]);
  t.match(output.toString(), /^[0-9a-f]{40}\nend of the program\n$/);
  t.equal(code, 0);
});

for (const hasher of ['openssl', 'threads']) {
  test(`a process that closes its store goes on to what comes next, whatever is still answered: ${hasher}`, async (t) => {
    const child = spawn(process.execPath, [script('closer'), hasher], {
      ...CHILD,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.teardown(() => endOf(child));
    const ended = once(child, 'exit');
    const lines: string[] = [];
    for await (const line of createInterface(child.stdout)) lines.push(line);
    t.strictSame([lines, (await ended)[0]], [['closed'], 0]);
  });
}
