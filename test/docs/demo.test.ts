/** What README shows of `make demo` is what it prints, but for numbers, dates, ids and keys. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { test } from 'tap';
import { temporaryFolder } from '../helpers/imgapi.ts';
import { PATIENCE_MS } from '../helpers/wait.ts';

/** What there is more or less of, or not at all, on machines that are faster or slower. */
const PASSING = /^(lost the connection|reconnected|\d+%, |waiting|trying again|\S+ \S+@\S+: )|^$/;

test('the recording of the demo in README is what the demo prints', async (t) => {
  const [, recorded] = /^```text\n(\n?1\. Real data.*?)^```/ms.exec(readFileSync('README.md', 'utf8')) ?? [];
  if (recorded === undefined) throw new Error('README has no recording of the demo');
  const directory = await temporaryFolder(t, 'imgapi-demo');
  const child = spawn(process.execPath, ['test/demo/main.ts', '--small', '--directory', directory], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 4 * PATIENCE_MS,
  });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (printed += chunk));
  const [status] = (await once(child, 'close')) as [number | null];
  t.equal(status, 0, printed);
  const [expected, got] = [masked(recorded), masked(printed)];
  t.strictSame(got.filter(isStep), expected.filter(isStep), 'the same steps and commands, in the same order');
  t.strictSame(new Set(got), new Set(expected), 'the same lines');
});

function isStep(line: string): boolean {
  return /^(N\. |\[)/.test(line);
}

function masked(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => !PASSING.test(line))
    .map((line) =>
      line
        .replaceAll(/SHA256:\S+/g, 'KEY')
        .replaceAll(/imgapi-link-v1\.\w+…/g, 'TOKEN')
        .replaceAll(/\b[0-9a-f]{8}-[0-9a-f-]{27}\b/g, 'UUID')
        .replaceAll(/\b[0-9a-f]{40}\b/g, 'SHA1')
        .replaceAll(/\b[0-9a-f]{8}\b/g, 'ID')
        .replaceAll(/\d[\d.:]*/g, 'N')
        .replaceAll(/N ([KMG]i)?B\b/g, 'SIZE')
        .replaceAll(/ +/g, ' '),
    );
}
