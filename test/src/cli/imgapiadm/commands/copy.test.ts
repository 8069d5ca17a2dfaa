import { test } from 'tap';
import { CapturedSink, runImgapiadm } from '../../capture.ts';
import { ALICE, BASE, copyImage, copyStatus, doneStatus, PLAN, UUID } from '../../fixtures.ts';
import { json, lines, openLines, playBack } from '../../playback.ts';

const ORDER = `POST /images/${UUID}`;
const WATCH = `GET /images/${UUID}/copy`;
const COPY = ['copy', 'us-sw-1', UUID, '-a', ALICE];
const DONE_LINE = 'Image 0965c1f4 my-image@1.0.0 copied from us-sw-1: 100 MiB in 1:05.\n';

test('an image is ordered and watched until it is usable', async (t) => {
  const server = await playBack(t, { [ORDER]: json(copyStatus()), [WATCH]: lines(copyStatus(), doneStatus()) });
  t.strictSame(await runImgapiadm([...COPY, '-u', server.url]), {
    code: 0,
    stdout: DONE_LINE,
    stderr: 'copy from us-sw-1: 1 image, 100 MiB, 25% here already\nsucceeded: 100 of 100 MiB\n',
  });
  t.match(server.asked, [
    { method: 'POST', path: `/images/${UUID}?account=${ALICE}&action=copy-from-dc&datacenter=us-sw-1` },
    { method: 'GET', path: `/images/${UUID}/copy?account=${ALICE}`, headers: { accept: 'application/x-json-stream' } },
  ]);
});

test('on a terminal it is a bar that is redrawn', async (t) => {
  const server = await playBack(t, { [ORDER]: json(copyStatus()), [WATCH]: lines(copyStatus(), doneStatus()) });
  const stderr = new CapturedSink(true);
  const { stdout } = await runImgapiadm([...COPY, '-u', server.url], { stderr });
  t.match(stderr.text, /^copy from us-sw-1: .*\n/);
  t.match(stderr.text, /\[====.*\] +25%.*\n[\s\S]*\p{Cc}\[1A[\s\S]*\] +100% {2}100 of 100 MiB {2}usable\n/u);
  t.equal(stdout, DONE_LINE);
});

test('as JSON it is a line for each change', async (t) => {
  const server = await playBack(t, { [ORDER]: json(copyStatus()), [WATCH]: lines(doneStatus()) });
  const { code, stdout, stderr } = await runImgapiadm([...COPY, '--json', '-u', server.url]);
  const states = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).state);
  t.strictSame([code, states, stderr], [0, ['running', 'succeeded'], '']);
});

test('without waiting it is ordered, and how to watch it is said', async (t) => {
  const server = await playBack(t, { [ORDER]: json(copyStatus()) });
  t.strictSame(await runImgapiadm([...COPY, '--no-wait', '-u', server.url]), {
    code: 0,
    stdout: 'Ordered: copy from us-sw-1: 1 image, 100 MiB, 25% here already.\n',
    stderr: `Watch it with: imgapiadm copy us-sw-1 ${UUID} -u ${server.url} -a ${ALICE}\n`,
  });
  const { stdout } = await runImgapiadm([...COPY, '--no-wait', '--json', '-u', server.url]);
  t.match(JSON.parse(stdout), { state: 'running' });
});

test('waiting and not waiting exclude each other', async (t) => {
  t.match(await runImgapiadm([...COPY, '--wait', '--no-wait']), {
    code: 2,
    stderr: /give --wait or --no-wait, not both/,
  });
});

test('an order that fails is told with its own code and message, and that of its images', async (t) => {
  const failed = copyStatus({ state: 'failed', error: { code: 'SourceChanged', message: 'other bytes now' } }, [
    copyImage({ state: 'failed', rate: 0, error: { code: 'SourceChanged', message: 'sha1 differs' } }),
  ]);
  const server = await playBack(t, { [ORDER]: json(copyStatus()), [WATCH]: lines(failed) });
  const { code, stdout, stderr } = await runImgapiadm([...COPY, '-u', server.url]);
  t.strictSame([code, stdout], [1, '']);
  t.match(
    stderr,
    /error \(SourceChanged\): other bytes now\n {4}0965c1f4 my-image@1\.0\.0: SourceChanged: sha1 differs\n$/,
  );
});

test('a copy that somebody cancels is a failure', async (t) => {
  const server = await playBack(t, { [ORDER]: json(copyStatus()), [WATCH]: lines(copyStatus({ state: 'canceled' })) });
  t.match(await runImgapiadm([...COPY, '-u', server.url]), { code: 1, stderr: /error \(CopyCanceled\)/ });
});

test('what the server refuses is no copy', async (t) => {
  const refused = { code: 'ResourceNotFound', message: 'no such image at us-sw-1' };
  const server = await playBack(t, { [ORDER]: json(refused, 404) });
  t.match(await runImgapiadm([...COPY, '-u', server.url]), { code: 4, stdout: '', stderr: /no such image at us-sw-1/ });
});

test('of an image that is here, what was refreshed is told', async (t) => {
  const changes = [
    { field: 'description', from: 'old', to: 'new' },
    { field: 'acl', to: ['bob'] },
  ];
  const server = await playBack(t, { [ORDER]: json({ ...doneStatus(), changes }) });
  t.strictSame(await runImgapiadm([...COPY, '-u', server.url]), {
    code: 0,
    stdout: [
      'Image 0965c1f4 my-image@1.0.0 is here already. 2 fields refreshed from us-sw-1.',
      'FIELD        FROM  TO',
      'description  old   new',
      'acl          -     ["bob"]',
      '',
    ].join('\n'),
    stderr: '',
  });
});

test('of an image that is here and the same, nothing is refreshed', async (t) => {
  const server = await playBack(t, { [ORDER]: json({ ...doneStatus(), changes: [] }) });
  const { stdout } = await runImgapiadm([...COPY, '-u', server.url]);
  t.equal(stdout, 'Image 0965c1f4 my-image@1.0.0 is here already. Nothing refreshed from us-sw-1.\n');
});

test('a copy that is under way from elsewhere is watched, and said to be', async (t) => {
  const server = await playBack(t, {
    [ORDER]: json(copyStatus({ datacenter: 'eu-ams-1' })),
    [WATCH]: lines({ ...doneStatus(), datacenter: 'eu-ams-1' }),
  });
  const { code, stderr } = await runImgapiadm([...COPY, '-u', server.url]);
  t.equal(code, 0);
  t.match(stderr, /already on its way from eu-ams-1/);
});

for (const option of ['--dry-run', '--plan']) {
  test(`${option} shows what would come, and orders nothing`, async (t) => {
    const server = await playBack(t, { [WATCH]: json(PLAN) });
    t.strictSame(await runImgapiadm([...COPY, option, '-u', server.url]), {
      code: 0,
      stdout: [
        'UUID                                  NAME      VERSION     SIZE  ACTION',
        `${BASE}  base      18.4.0   1.0 MiB  is here already`,
        `${UUID}  my-image  1.0.0    5.0 MiB  would be copied`,
        '5.0 MiB of 6.0 MiB would come from us-sw-1.',
        '',
      ].join('\n'),
      stderr: '',
    });
    t.strictSame(
      server.asked.map(({ method, path }) => `${method} ${path}`),
      [`GET /images/${UUID}/copy?account=${ALICE}&plan=true&datacenter=us-sw-1`],
    );
    t.strictSame(JSON.parse((await runImgapiadm([...COPY, option, '--json', '-u', server.url])).stdout), PLAN);
  });
}

test('the table of a dry run is chosen as any other, and what is said beside it goes to standard error', async (t) => {
  const server = await playBack(t, { [WATCH]: json(PLAN) });
  const plan = (...words: readonly string[]) => runImgapiadm([...COPY, '--dry-run', ...words, '-u', server.url]);
  const beside = '5.0 MiB of 6.0 MiB would come from us-sw-1.\n';
  t.same(await plan('-H'), {
    code: 0,
    stdout: [
      `${BASE}  base      18.4.0  1.0 MiB  is here already`,
      `${UUID}  my-image  1.0.0   5.0 MiB  would be copied`,
      '',
    ].join('\n'),
    stderr: beside,
  });
  t.same(await plan('-o', 'name,size', '--sort=-size'), {
    code: 0,
    stdout: 'NAME         SIZE\nmy-image  5.0 MiB\nbase      1.0 MiB\n',
    stderr: beside,
  });
  t.same((await plan('-H', '-o', 'shortid', '--json')).stdout, `${JSON.stringify(PLAN)}\n`);
  t.match(await plan('-o', 'nmae'), { code: 2, stderr: /unknown column "nmae"; did you mean "name"\?/ });
  const narrow = new CapturedSink(true, 80);
  await runImgapiadm([...COPY, '--dry-run', '-u', server.url], { stdout: narrow });
  t.notMatch(narrow.text, /.{81}/);
});

test('a dry run on an image that is here shows what would be refreshed', async (t) => {
  const plan = { ...PLAN, images: [{ ...PLAN.images[1], here: true, action: 'here' }], bytes_to_copy: 0 };
  const changes = [{ field: 'name', from: 'a', to: 'b' }];
  const server = await playBack(t, { [WATCH]: json(plan), [ORDER]: json({ ...doneStatus(), changes }) });
  const { stdout } = await runImgapiadm([...COPY, '--dry-run', '-u', server.url]);
  t.match(
    stdout,
    /0 B of 6\.0 MiB would come from us-sw-1\.\n1 field would be refreshed\.\nFIELD {2}FROM {2}TO\nname {3}a {5}b\n$/,
  );
  t.match(server.asked[1]?.path, /dry_run=true/);
});

test('when the server restarts, the copy is watched again', async (t) => {
  const server = await playBack(t, {
    [ORDER]: json(copyStatus()),
    [WATCH]: [openLines(copyStatus()), lines(copyStatus(), doneStatus())],
  });
  const stderr = new CapturedSink();
  const ran = runImgapiadm([...COPY, '-u', server.url], { stderr });
  while (server.asked.length < 2) await stderr.wrote(/copy from/).then(() => new Promise(setImmediate));
  await server.stop();
  await stderr.wrote(/lost the connection, trying again: /);
  await server.restart();
  t.match(await ran, { code: 0, stdout: DONE_LINE, stderr: /trying again: .*\nreconnected\nsucceeded/ });
});

test('a server that stays away is given up after the time that was asked for', async (t) => {
  const server = await playBack(t, { [ORDER]: json(copyStatus()), [WATCH]: openLines(copyStatus()) });
  const stderr = new CapturedSink();
  const ran = runImgapiadm([...COPY, '--reconnect-for', '0', '-u', server.url], { stderr });
  while (server.asked.length < 2) await stderr.wrote(/copy from/).then(() => new Promise(setImmediate));
  await server.stop();
  t.match(await ran, { code: 3, stderr: /error \(Unreachable\): .*did not come back.*\n {4}The copy itself goes on/ });
});

test('Ctrl-C leaves the copy running and says how to come back', async (t) => {
  const server = await playBack(t, { [ORDER]: json(copyStatus()), [WATCH]: openLines(copyStatus()) });
  const interrupt = new AbortController();
  const stderr = new CapturedSink();
  const ran = runImgapiadm([...COPY, '-u', server.url], { signal: interrupt.signal, stderr });
  while (server.asked.length < 2) await stderr.wrote(/copy from/).then(() => new Promise(setImmediate));
  interrupt.abort();
  const { code, stdout } = await ran;
  t.strictSame([code, stdout], [130, '']);
  t.match(stderr.text, /Interrupted\. The copy goes on at the server, if it was ordered\./);
  t.match(stderr.text, `to watch it again:  imgapiadm copy us-sw-1 ${UUID} -u ${server.url} -a ${ALICE}\n`);
  t.match(stderr.text, `to cancel it:       imgapiadm cancel ${UUID} -u ${server.url} -a ${ALICE}\n`);
  t.notOk(
    server.asked.some(({ method }) => method === 'DELETE'),
    'nothing is canceled',
  );
});
