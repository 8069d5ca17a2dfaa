import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'tap';
import { imgapiadm } from '#src/cli/imgapiadm/program.ts';
import packageJson from '../../../../package.json' with { type: 'json' };
import { waitFor } from '../../../helpers/wait.ts';
import { runImgapiadm } from '../capture.ts';
import { ALICE, copyStatus, doneStatus, image, UUID } from '../fixtures.ts';
import { json, lines, openLines, playBack } from '../playback.ts';

const ENTRY = 'src/cli/imgapiadm/main.ts';

interface Collected {
  readonly child: ChildProcess;
  text(): string;
  readonly ended: Promise<{ code: number | null; text: string }>;
}

/** Both streams in one text. */
function start(command: string, args: readonly string[], env: Record<string, string> = {}): Collected {
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, text }));
  return { child, text: () => text, ended };
}

const PROGRAM_COMMANDS = imgapiadm.commands.map(({ name }) => name);

for (const name of PROGRAM_COMMANDS) {
  test(`${name} has help with usage, options and an example that is a command line of it`, async (t) => {
    const { code, stdout } = await runImgapiadm([...name.split(' '), '--help']);
    t.equal(code, 0);
    t.match(stdout, new RegExp(`^imgapiadm ${name} - .+\n(?: {4}.+\n)*\nUsage:\n    imgapiadm ${name} `));
    t.match(stdout, /\nCommon options:\n[\s\S]*--json[\s\S]*\n\nExamples:\n {4}# .+\n {4}imgapiadm /);
  });
}

test('the help of the program lists every command and every exit status', async (t) => {
  const { stdout } = await runImgapiadm(['--help']);
  for (const name of PROGRAM_COMMANDS) t.match(stdout, new RegExp(`\n    ${name}[, ]`));
  for (const code of [0, 1, 2, 3, 4, 130]) t.match(stdout, new RegExp(`\n    ${code} +\\w`));
  t.notMatch(stdout, /.{81}/, 'no line is wider than 80 columns');
});

test('the entry runs as a process of its own', async (t) => {
  const version = await start(process.execPath, [ENTRY, '--version']).ended;
  t.strictSame(version, { code: 0, text: `imgapiadm ${packageJson.version}\n` });
  t.match(await start(process.execPath, [ENTRY, 'lst']).ended, { code: 2, text: /did you mean "list"/ });
});

test('a list whose reader goes away ends without a word', async (t) => {
  const images = Array.from({ length: 20_000 }, (_, i) =>
    image({ name: `image-${i}`, uuid: `${UUID.slice(0, 28)}${String(i).padStart(8, '0')}` }),
  );
  const server = await playBack(t, { 'GET /images': json(images) });
  const script = `"${process.execPath}" ${ENTRY} list -u ${server.url} | head -1; echo "status \${PIPESTATUS[0]}"`;
  const { text } = await start('bash', ['-c', script]).ended;
  t.match(text, /^SHORTID +NAME[^\n]*\nstatus 0\n$/);
});

test('Ctrl-C ends the watch, not the copy', async (t) => {
  const server = await playBack(t, {
    [`POST /images/${UUID}`]: json(copyStatus()),
    [`GET /images/${UUID}/copy`]: openLines(copyStatus()),
  });
  const { child, ended } = start(process.execPath, [ENTRY, 'copy', 'us-sw-1', UUID], { IMGAPI_URL: server.url });
  t.teardown(() => child.kill('SIGKILL'));
  await waitFor('it to watch the copy', () => server.asked.length >= 2);
  child.kill('SIGINT');
  const { code, text } = await ended;
  t.equal(code, 130);
  t.match(text, `to watch it again:  imgapiadm copy us-sw-1 ${UUID}\n`);
});

test('on a terminal the bar is redrawn until the image is usable', async (t) => {
  const server = await playBack(t, {
    [`POST /images/${UUID}`]: json(copyStatus()),
    [`GET /images/${UUID}/copy`]: lines(copyStatus(), doneStatus()),
  });
  const command = `stty cols 100 rows 30; "${process.execPath}" ${ENTRY} copy us-sw-1 ${UUID} -a ${ALICE} -u ${server.url}`;
  const { code, text } = await start('script', ['-qec', command, '/dev/null']).ended;
  t.equal(code, 0);
  t.match(text, /\[=.*\] +25%.*0:15 left\r\n/);
  t.match(text, /\p{Cc}\[1A\p{Cc}\[2K0965c1f4 my-image@1\.0\.0 .* 100% {2}100 of 100 MiB {2}usable\r\n/u);
  t.match(text, /copied from us-sw-1: 100 MiB in 1:05\.\r\n$/);
});

test('half of a command is answered with those that begin with it, and a mistyped half with what was meant', async (t) => {
  t.match(await runImgapiadm(['quota', 'lits']), {
    code: 2,
    stderr: 'unknown command "quota lits"; did you mean "quota list"?',
  });
  t.match(await runImgapiadm(['quota', '--help']), {
    ...{ code: 2, stderr: /"quota" is no command by itself; there is quota list, quota / },
  });
});

test('a server that is no image service is said to be one', async (t) => {
  const server = await playBack(t, {
    'GET /images': (response) => {
      response.writeHead(404, { 'content-type': 'text/html' });
      response.end('<html>no such page</html>');
    },
  });
  t.match(await runImgapiadm(['list', '-u', server.url]), { code: 4, stderr: /is this the URL of the right server\?/ });
});
