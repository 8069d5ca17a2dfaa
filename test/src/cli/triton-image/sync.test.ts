import { test } from 'tap';
import { jsonLines } from '../capture.ts';
import { BASE, copyImage, copyStatus, doneStatus, UUID } from '../fixtures.ts';
import { json, lines, playBack } from '../playback.ts';
import { cloudImage, listing, played } from './home.ts';

const MINE = cloudImage();
const HERE = cloudImage({ uuid: BASE, name: 'here' });
const BROKEN = cloudImage({ uuid: '77777777-0000-4000-8000-000000000000', name: 'broken' });
const STRANGERS = cloudImage({ uuid: '88888888-0000-4000-8000-000000000000', owner: BASE, public: true });
const FAILED = copyStatus(
  { image_uuid: BROKEN.id, state: 'failed', error: { code: 'SourceGone', message: 'it left' } },
  [copyImage({ uuid: BROKEN.id, name: 'broken', state: 'failed' })],
);

async function twoPlaces(t: Parameters<typeof played>[0]) {
  const source = await playBack(t, {
    'GET /alice': json({ id: MINE.owner, login: 'alice' }),
    'GET /alice/images': json([MINE, HERE, BROKEN, STRANGERS]),
  });
  const { run, server } = await played(t, {
    'GET /datacenters': json({ 'us-sw-1': source.url }),
    'GET /images': listing(HERE, cloudImage({ uuid: BROKEN.id, name: 'broken', state: 'failed' })),
    'POST /images': (response, asked) => {
      json(asked.path.includes(BROKEN.id) ? FAILED : copyStatus())(response, asked);
    },
    [`GET /images/${UUID}/copy`]: lines(doneStatus()),
  });
  return { run, server, source };
}

test('sync lists what is missing here of the own images that match', async (t) => {
  const { run, source } = await twoPlaces(t);
  t.strictSame(await run(['sync', 'us-sw-1', 'name=~my', '--dry-run']), {
    code: 0,
    stdout: [
      'SHORTID   NAME      VERSION  OS          SIZE',
      '0965c1f4  my-image  1.0.0    smartos  5.0 MiB',
      '77777777  broken    1.0.0    smartos  5.0 MiB',
      '',
    ].join('\n'),
    stderr: '2 images would come from us-sw-1; here already: 1.\n',
  });
  t.match(await run(['sync', 'us-sw-1', '--dry-run', '-H', '-o', 'name', '-s', 'name']), {
    stdout: 'broken\nmy-image\n',
  });
  t.match(source.asked.find(({ path }) => path.startsWith('/alice/images'))?.path, /name=%7Emy&owner=me&state=active/);
  t.equal(jsonLines((await run(['sync', 'us-sw-1', '--dry-run', '--refresh', '-j'])).stdout).length, 3);
});

test('sync copies what is missing; a failure of one does not stop the others, and is told at the end', async (t) => {
  const { run, server } = await twoPlaces(t);
  const { code, stdout, stderr } = await run(['sync', 'us-sw-1']);
  t.equal(code, 1);
  t.match(stdout, /^Image 0965c1f4 my-image@1\.0\.0 copied from us-sw-1: .*\n$/);
  t.match(
    stderr,
    /error \(CopyFailed\): the copies of 1 of 2 images failed\n {4}77777777 broken@1\.0\.0: \(SourceGone\)/,
  );
  const ordered = server.asked.filter(({ method }) => method === 'POST');
  t.equal(ordered.length, 2);
  t.ok(ordered.every(({ path }) => path.includes('action=copy-from-dc&datacenter=us-sw-1')));
});

test('sync --json answers a line for each change, with the image that it is of', async (t) => {
  const { run } = await twoPlaces(t);
  const seen = jsonLines((await run(['sync', 'us-sw-1', '-j'])).stdout);
  t.match(
    seen.filter((line) => (line as { image: string }).image.startsWith('0965c1f4')),
    [{ state: 'running' }, { image: '0965c1f4 my-image@1.0.0', state: 'succeeded' }],
  );
});

test('sync copies active images of the account alone', async (t) => {
  const { run } = await twoPlaces(t);
  t.match(await run(['sync', 'us-sw-1', 'state=all']), { code: 2, stderr: /only active images can be copied/ });
  t.match(await run(['sync', 'us-sw-1', 'owner=bob']), { code: 2, stderr: /unknown filter "owner"/ });
});
