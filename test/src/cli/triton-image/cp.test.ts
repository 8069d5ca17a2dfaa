import { test } from 'tap';
import { CapturedSink, jsonLines } from '../capture.ts';
import { BASE, copyImage, copyStatus, doneStatus, PLAN, UUID } from '../fixtures.ts';
import { type Answer, json, lines, openLines, type Playback, playBack } from '../playback.ts';
import { cloudImage, listing, makeUser, type Played, played } from './home.ts';

const ORDER = 'POST /images';
const WATCH = `GET /images/${UUID}/copy`;
const DONE_LINE = 'Image 0965c1f4 my-image@1.0.0 copied from us-sw-1: 100 MiB in 1:05.\n';
const COPYING = { [ORDER]: json(copyStatus()), [WATCH]: lines(copyStatus(), doneStatus()) };

/** The destination as alice's profile has it, and the source us-sw-1 that it lists. */
async function pair(
  t: Parameters<typeof played>[0],
  script: Record<string, Answer | readonly Answer[]> = COPYING,
): Promise<Played & { source: Playback }> {
  const user = await makeUser(t);
  const source = await played(
    t,
    { 'GET /images': listing(cloudImage(), cloudImage({ uuid: BASE, owner: BASE })) },
    user,
  );
  const urls = { 'us-sw-1': source.server.url, 'us-west-1': 'http://127.0.0.1:1' };
  const here = await played(t, { 'GET /datacenters': json(urls), ...script }, user);
  return { ...here, source: source.server };
}

test('an image is found at the source, ordered at the destination, and watched until it is usable', async (t) => {
  const { run, server, source } = await pair(t);
  t.strictSame(await run(['cp', 'us-sw-1', 'my-image']), {
    code: 0,
    stdout: DONE_LINE,
    stderr: 'copy from us-sw-1: 1 image, 100 MiB, 25% here already\nsucceeded: 100 of 100 MiB\n',
  });
  t.match(source.asked.map(({ path }) => path).toSorted(), [
    '/alice',
    '/alice/images?state=active&owner=me&name=my-image',
  ]);
  t.match(server.asked, [
    { path: '/alice/datacenters' },
    { method: 'POST', path: `/alice/images?action=copy-from-dc&datacenter=us-sw-1&id=${UUID}` },
    { method: 'GET', path: `/alice/images/${UUID}/copy`, headers: { accept: 'application/x-json-stream' } },
  ]);
});

test('by UUID the source is not asked', async (t) => {
  const { run, server, source } = await pair(t);
  await source.stop();
  const finishBy = '2026-01-31T12:00:00Z';
  t.match(await run(['cp', 'us-sw-1', UUID, '--finish-by', finishBy]), { code: 0, stdout: DONE_LINE });
  const ordered = server.asked.find(({ method }) => method === 'POST');
  t.equal(new URL(ordered?.path ?? '', server.url).searchParams.get('finish_by'), finishBy);
});

test('on a terminal it is a bar for each image, with the time that is left', async (t) => {
  const chain = [copyImage({ uuid: BASE, name: 'base' }), copyImage()];
  const { run } = await pair(t, {
    [ORDER]: json(copyStatus({}, chain)),
    [WATCH]: lines(copyStatus({ eta: 15 }, chain), doneStatus()),
  });
  const stderr = new CapturedSink(true);
  await run(['cp', 'us-sw-1', UUID], { stderr });
  t.match(stderr.text, /1f0e2d3c base@1\.0\.0 +\[=+> +\] +25% .*5\.0 MiB\/s {2}0:15 left\n/);
  t.match(stderr.text, /0965c1f4 my-image@1\.0\.0 +\[=+> +\] +25% /);
  t.match(stderr.text, /all +\[=+> +\] +25% /);
});

test('Ctrl-C leaves the copy running and says how to come back', async (t) => {
  const { run, server } = await pair(t, { [ORDER]: json(copyStatus()), [WATCH]: openLines(copyStatus()) });
  const interrupt = new AbortController();
  const stderr = new CapturedSink();
  const ran = run(['-a', 'alice', 'cp', 'us-sw-1', 'my-image'], { signal: interrupt.signal, stderr });
  await stderr.wrote(/copy from/);
  while (!server.asked.some(({ path }) => path.endsWith('/copy'))) await new Promise(setImmediate);
  interrupt.abort();
  t.match(await ran, { code: 130, stdout: '' });
  t.match(stderr.text, /Interrupted\. The copy goes on at the server, if it was ordered\.\n/);
  t.match(stderr.text, `to watch it again:  triton-image wait ${UUID} -a alice\n`);
  t.match(stderr.text, `to cancel it:       triton-image cancel ${UUID} -a alice\n`);
  t.notOk(server.asked.some(({ method }) => method === 'DELETE'));
});

test('when CloudAPI restarts, the copy is watched again', async (t) => {
  const { run, server } = await pair(t, {
    [ORDER]: json(copyStatus()),
    [WATCH]: [openLines(copyStatus()), lines(doneStatus())],
  });
  const stderr = new CapturedSink();
  const ran = run(['cp', 'us-sw-1', UUID], { stderr });
  while (!server.asked.some(({ path }) => path.endsWith('/copy'))) await new Promise(setImmediate);
  await server.stop();
  await stderr.wrote(/lost the connection, trying again/);
  await server.restart();
  t.match(await ran, { code: 0, stdout: DONE_LINE, stderr: /reconnected\nsucceeded/ });
});

const PLAN_TEXT = [
  'UUID                                  NAME      VERSION     SIZE  ACTION',
  `${BASE}  base      18.4.0   1.0 MiB  is here already`,
  `${UUID}  my-image  1.0.0    5.0 MiB  would be copied`,
  '5.0 MiB of 6.0 MiB would come from us-sw-1.',
  '',
].join('\n');

test('--dry-run shows what would move and orders nothing', async (t) => {
  const { run, server } = await pair(t, { [WATCH]: json(PLAN) });
  t.strictSame(await run(['cp', '--dry-run', 'us-sw-1', 'my-image']), { code: 0, stdout: PLAN_TEXT, stderr: '' });
  t.strictSame(JSON.parse((await run(['cp', '--dry-run', '-j', 'us-sw-1', 'my-image'])).stdout), PLAN);
  t.ok(server.asked.some(({ path }) => path === `/alice/images/${UUID}/copy?plan=true&datacenter=us-sw-1`));
  t.notOk(server.asked.some(({ method }) => method !== 'GET'));
});

test('--no-wait orders and leaves', async (t) => {
  const { run } = await pair(t);
  t.strictSame(await run(['cp', '--no-wait', 'us-sw-1', 'my-image']), {
    code: 0,
    stdout: 'Ordered: copy from us-sw-1: 1 image, 100 MiB, 25% here already.\n',
    stderr: `Watch it with: triton-image wait ${UUID}\n`,
  });
});

test('what cannot be meant is told before anything is ordered', async (t) => {
  const { run, server } = await pair(t);
  t.match(await run(['cp', 'my-image']), { code: 2, stderr: /missing SRC-DC, the datacenter to copy from, or --to/ });
  t.match(await run(['cp', 'us-sw-2', 'my-image']), {
    code: 4,
    stderr: /error \(UnknownDatacenter\): there is no datacenter "us-sw-2"; did you mean "us-sw-1"/,
  });
  t.match(await run(['cp', 'us-sw-1', 'nosuch']), { code: 4, stderr: /no image "nosuch" of your own\n/ });
  t.match(await run(['cp', 'us-sw-1', 'my-image', '--to', 'us-west-1']), { code: 2, stderr: /leave out SRC-DC/ });
  t.notOk(server.asked.some(({ method }) => method === 'POST'));
});

/** The source, which the profile names, and the destinations that it lists. */
async function many(
  t: Parameters<typeof played>[0],
  scripts: Record<string, Record<string, Answer | readonly Answer[]>>,
) {
  const user = await makeUser(t);
  const places = await Promise.all(
    Object.entries(scripts).map(async ([name, script]) => [name, (await played(t, script, user)).server] as const),
  );
  const servers = Object.fromEntries(places);
  const urls = Object.fromEntries(places.map(([name, { url }]) => [name, url]));
  let own = '';
  const listed: Answer = (response, asked) => {
    response.setHeader('triton-datacenter-name', 'us-sw-1');
    json({ 'us-sw-1': own, ...urls })(response, asked);
  };
  const here = await played(t, { 'GET /datacenters': listed, 'GET /images': listing(cloudImage()) }, user);
  own = here.server.url;
  return { ...here, servers };
}

const REFUSED = { [ORDER]: json({ code: 'NotEnoughSpace', message: 'the disk is full' }, 422) };

test('--to copies to each datacenter, and one that fails does not hurt the others', async (t) => {
  const { run, servers } = await many(t, { 'us-west-1': COPYING, 'eu-ams-1': REFUSED, 'us-east-1': COPYING });
  const { code, stdout, stderr } = await run(['cp', '--to', 'us-west-1,eu-ams-1', '--to=us-east-1', 'my-image']);
  t.equal(code, 1);
  t.equal(stdout, `us-west-1: ${DONE_LINE}us-east-1: ${DONE_LINE}`);
  t.match(stderr, 'us-west-1: copy from us-sw-1: 1 image, 100 MiB, 25% here already\n');
  t.match(stderr, 'eu-ams-1: failed: (NotEnoughSpace) the disk is full\n');
  t.match(
    stderr,
    [
      'triton-image: error (CopyFailed): the copy failed at 1 of 3 datacenters',
      '    eu-ams-1: (NotEnoughSpace) the disk is full',
      `    to repeat it there:  triton-image cp --to eu-ams-1 ${UUID}`,
      '',
    ].join('\n'),
  );
  t.match(servers['us-west-1']?.asked[0], { path: `/alice/images?action=copy-from-dc&datacenter=us-sw-1&id=${UUID}` });
});

test('--to all means all others, on a terminal a line each that is redrawn', async (t) => {
  const { run, server } = await many(t, { 'us-west-1': COPYING, 'eu-ams-1': REFUSED });
  const stderr = new CapturedSink(true);
  t.match(await run(['cp', '--to', 'all', 'my-image'], { stderr }), { code: 1, stdout: `us-west-1: ${DONE_LINE}` });
  t.match(stderr.text, /us-west-1 {2}\[=+> +\] +25% {2}25 of 100 MiB/);
  t.match(stderr.text, /\p{Cc}\[2A[\s\S]*eu-ams-1 {3}failed: \(NotEnoughSpace\) the disk is full\n/u);
  t.notOk(
    server.asked.some(({ method }) => method === 'POST'),
    'the source is no destination',
  );
});

test('--to with --json is a line for each change, with its datacenter', async (t) => {
  const { run } = await many(t, { 'us-west-1': COPYING, 'eu-ams-1': REFUSED });
  const { stdout } = await run(['cp', '-j', '--to', 'all', 'my-image']);
  const seen = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  t.match(
    seen.findLast(({ to }) => to === 'us-west-1'),
    { state: 'succeeded', datacenter: 'us-sw-1' },
  );
  t.strictSame(
    seen.filter(({ to }) => to === 'eu-ams-1'),
    [{ to: 'eu-ams-1', state: 'failed', error: { code: 'NotEnoughSpace', message: 'the disk is full' } }],
  );
});

test('--to with --dry-run shows what would move to each', async (t) => {
  const { run } = await many(t, { 'us-west-1': { [WATCH]: json(PLAN) }, 'eu-ams-1': { [WATCH]: json(PLAN) } });
  t.strictSame(await run(['cp', '--dry-run', '--to', 'all', 'my-image']), {
    code: 0,
    stdout: `To us-west-1:\n${PLAN_TEXT}To eu-ams-1:\n${PLAN_TEXT}`,
    stderr: '',
  });
  t.match(jsonLines((await run(['cp', '--dry-run', '-j', '--to', 'eu-ams-1', 'my-image'])).stdout), [
    { to: 'eu-ams-1', ...PLAN },
  ]);
  const beside = '5.0 MiB of 6.0 MiB would come from us-sw-1.\n';
  t.strictSame(await run(['cp', '--dry-run', '--to', 'all', '-H', '-o', 'to,name', '--sort=-size,to', 'my-image']), {
    code: 0,
    stdout: 'eu-ams-1   my-image\nus-west-1  my-image\neu-ams-1   base\nus-west-1  base\n',
    stderr: `To us-west-1:\n${beside}To eu-ams-1:\n${beside}`,
  });
});

test('--to with --no-wait orders everywhere and leaves', async (t) => {
  const { run } = await many(t, { 'us-west-1': COPYING, 'us-east-1': COPYING });
  t.match(await run(['cp', '--no-wait', '--to', 'all', 'my-image']), {
    code: 0,
    stdout: 'us-west-1: copy from us-sw-1 ordered.\nus-east-1: copy from us-sw-1 ordered.\n',
  });
});

test('--to refuses the datacenter that the image is in, and those that there are not', async (t) => {
  const { run, servers } = await many(t, { 'us-west-1': COPYING });
  t.match(await run(['cp', '--to', 'us-sw-1', 'my-image']), { code: 2, stderr: /is in us-sw-1 already/ });
  t.match(await run(['cp', '--to', 'us-west-1,us-wset-2', 'my-image']), {
    code: 4,
    stderr: /no datacenter "us-wset-2"/,
  });
  t.strictSame(servers['us-west-1']?.asked, []);
});

test('Ctrl-C leaves all of them running and says how to come back', async (t) => {
  const open = { [ORDER]: json(copyStatus()), [WATCH]: openLines(copyStatus()) };
  const { run, servers } = await many(t, { 'us-west-1': open, 'us-east-1': COPYING });
  const interrupt = new AbortController();
  const stderr = new CapturedSink();
  const ran = run(['cp', '--to', 'all', 'my-image'], { signal: interrupt.signal, stderr });
  await stderr.wrote(/us-west-1: copy from/);
  interrupt.abort();
  t.match(await ran, { code: 130, stdout: '' });
  t.match(stderr.text, `to watch them again:  triton-image cp --to all ${UUID}\n`);
  t.match(
    stderr.text,
    `to cancel the one to us-west-1:  triton-image cancel ${UUID} -U ${servers['us-west-1']?.url}\n`,
  );
});

test('a CloudAPI that does not say which datacenter it is cannot be the source of --to', async (t) => {
  const server = await playBack(t, { 'GET /alice/datacenters': json({ a: 'http://127.0.0.1:1' }) });
  const { run } = await played(t, {});
  t.match(await run(['-U', server.url, 'cp', '--to', 'all', UUID]), {
    code: 1,
    stderr: /does not say which datacenter/,
  });
});
