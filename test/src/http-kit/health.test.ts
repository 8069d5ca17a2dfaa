/** `/healthz` answers soon and truthfully, whatever its parts do, and asks each of them one thing at a time. */
import { test } from 'tap';
import { healthOf } from '#src/http-kit/health.ts';

const log = { info: () => true, warn: () => true };

/** A part that answers until it hangs. */
class Part {
  readonly name = 'part';
  asked = 0;
  hung: (() => void)[] = [];
  hangs = false;

  async run(): Promise<undefined> {
    this.asked += 1;
    if (this.hangs) await new Promise<void>((resolve) => this.hung.push(resolve));
    return undefined;
  }
}

async function timed<T>(ask: () => Promise<T>): Promise<[answer: T, ms: number]> {
  const begin = performance.now();
  return [await ask(), performance.now() - begin];
}

test('a part that hangs is told to be down, each answer but the first comes soon, and nothing piles up', async (t) => {
  const part = new Part();
  const health = healthOf([part], log);
  t.match(await health(), { ok: true });
  part.hangs = true;
  const begin = performance.now();
  const answers: boolean[] = [];
  let slowest = 0;
  while (performance.now() - begin < 6000) {
    const [all, ms] = await timed(() => Promise.all(Array.from({ length: 200 }, health)));
    slowest = Math.max(slowest, ms);
    answers.push(all.every(({ ok }) => ok));
    await new Promise(setImmediate);
  }
  t.ok(slowest < 1000, `${slowest} ms`);
  t.equal(answers.at(-1), false);
  t.equal(answers.lastIndexOf(true) + 1, answers.indexOf(false), 'once down it stays down');
  t.equal(part.asked, 2, 'one question is under way');
  part.hangs = false;
  for (const answer of part.hung) answer();
  while (!(await health()).ok) await new Promise(setImmediate);
  t.pass('and up again once it answers');
});

test('a part that hangs from the start is told to be down within its limit', async (t) => {
  const part = new Part();
  part.hangs = true;
  const [answer, ms] = await timed(healthOf([part], log));
  t.match(answer, { ok: false, checks: { part: { ok: false, error: 'no answer within 2000 ms' } } });
  t.ok(ms < 2500, `${ms} ms`);
});

test('a part that is dispensable is told and counts for nothing', async (t) => {
  const down = { name: 'directory', isDispensable: true, run: () => Promise.reject(new Error('gone')) };
  t.match(await healthOf([down], log)(), { ok: true, checks: { directory: { ok: false, error: 'gone' } } });
});
