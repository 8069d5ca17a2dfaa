/** One of three processes loses the database or the object store: it says so in time, and the others do its work. */
import { Readable } from 'node:stream';
import { type Test, test } from 'tap';
import { ImgapiError } from '#lib/client/errors.ts';
import { type GroundUnderTest, hurried } from '../../engines/grounds.ts';
import { ALICE } from '../../helpers/accounts.ts';
import { link, MiB, type Site, startSite } from '../../helpers/cloud.ts';
import { type Cluster, ELSEWHERE, startCluster } from '../../helpers/cluster.ts';
import { becomes } from '../../helpers/health.ts';
import { MANIFEST, makeImage } from '../../helpers/images.ts';
import { assertMoved, assertSound, sha1Served, watchImages } from '../../helpers/invariants.ts';
import type { TcpProxy } from '../../helpers/tcp-proxy.ts';
import { waitFor } from '../../helpers/wait.ts';
import { Workload } from '../../helpers/workload.ts';
import { slowUpload } from '../../src/images/files/slow-upload.ts';

const SIZE = 12 * MiB;
/** Milliseconds that an answer may take of a process that waits a second for each step, with all repetitions. */
const BOUND_MS = 60_000;

/** Longer than the entry of an upload counts whose process has not been heard of. */
const LATER = 150_000;

/** Nothing comes through, and neither side is told. */
function silence(wire: TcpProxy): void {
  wire.trouble = { kind: 'silent' };
  wire.silence();
}

function refuse(wire: TcpProxy): void {
  wire.trouble = { kind: 'refuse' };
  wire.cutAll();
}

function mend(wire: TcpProxy): void {
  wire.trouble = { kind: 'none' };
}

export function oneIsCutOff({ name, make }: GroundUnderTest): void {
  test(`${name}: one of three processes is cut off, and the others go on`, async (t) => {
    const ground = await make(t);
    const cluster = await startCluster(t, ground, hurried(ground));
    const [one, two, three] = cluster.sites;
    const east = await startSite(t, 'us-east');
    await link(east, two);

    await t.test('the database falls silent', async (t) => {
      const { image } = await makeImage(east.alice, {}, { size: SIZE });
      const { image: known } = await makeImage(two.alice);
      const moved = east.network.received;
      await beginsCopy(cluster, east, image.uuid);
      const watch = watchImages(t, two, [image.uuid]);
      const others = new Workload(two.front.url);
      const { uuid } = await two.alice.createImage(MANIFEST);
      const upload = slowUpload(`${one.front.url}/images/${uuid}/file?account=${ALICE}&compression=none`, {
        'content-length': String(SIZE),
      });
      await upload.write(Buffer.alloc(SIZE / 2));
      silence(one.wires.documents);
      await Promise.all([
        upload.write(Buffer.alloc(SIZE / 2)).then(async () => t.equal((await upload.end()).status, 503)),
        refused(t, 'an image', () => one.alice.getImage(known.uuid), 'ServiceUnavailable'),
        refused(t, 'a new image', () => one.alice.createImage(MANIFEST), 'ServiceUnavailable'),
        refused(t, 'a list', () => one.alice.listImages(), 'ServiceUnavailable'),
        becomes(`${one.front.url}/healthz`, 503),
      ]);
      await three.reaches(image.uuid, ({ images }) => images[0]?.attempt === 2);
      east.network.trouble = { kind: 'none' };
      t.equal((await three.ended(image.uuid)).state, 'succeeded');
      await goesOn(t, others, two);
      mend(one.wires.documents);
      await isBack(one, known.uuid);
      assertMoved(t, east.network.received - moved, SIZE);
      await watch.end();
      // What it had staged may be its own for as long as it said last.
      await three.restart({ later: LATER, ...ELSEWHERE });
      await assertSound(t, three);
      await three.restart(ELSEWHERE);
      t.same((await two.alice.getImage(uuid)).files, []);
    });

    await t.test('the object store falls silent', async (t) => {
      const { image } = await makeImage(two.alice);
      const { uuid } = await two.alice.createImage(MANIFEST);
      const upload = () =>
        one.alice.addImageFile(uuid, Readable.from([Buffer.alloc(SIZE)]), { compression: 'none', size: SIZE });
      const others = new Workload(two.front.url);
      silence(one.wires.objects);
      await Promise.all([
        refused(t, 'an upload', upload, 'StorageIsDown'),
        refused(t, 'a file', () => one.alice.getImageFile(image.uuid), 'StorageIsDown'),
      ]);
      t.ok(await served(() => one.alice.getImage(image.uuid)), 'what needs no object store works');
      await served(() => one.alice.updateImage(image.uuid, { description: 'changed' }));
      await goesOn(t, others, two);
      mend(one.wires.objects);
      await isBack(one, image.uuid);
      await served(upload);
      await assertSound(t, three);
    });

    await t.test('both refuse all connections', async (t) => {
      const { image } = await makeImage(two.alice);
      const { documents, objects } = one.wires;
      refuse(objects);
      await refused(t, 'a file', () => one.alice.getImageFile(image.uuid), 'StorageIsDown');
      refuse(documents);
      await refused(t, 'an image', () => one.alice.getImage(image.uuid), 'ServiceUnavailable');
      mend(documents);
      mend(objects);
      await isBack(one, image.uuid);
    });
  });
}

/** The copy runs at the first process, and is far from its end. */
async function beginsCopy({ sites: [one, two, three] }: Cluster, east: Site, uuid: string): Promise<void> {
  // Nobody else may be faster to take it up.
  await Promise.all([two.pause(), three.pause()]);
  east.network.trouble = { kind: 'slow', bytesPerSecond: MiB };
  await served(() => one.order(uuid, east.name));
  await one.reaches(uuid, ({ bytes_done }) => bytes_done > 0);
  for (const other of [two, three]) other.resume();
}

/** A 503 that says when to come back, in time. */
async function refused(t: Test, what: string, ask: () => Promise<unknown>, code: string): Promise<void> {
  const start = performance.now();
  const error = await ask().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  const ms = Math.round(performance.now() - start);
  if (!(error instanceof ImgapiError)) throw error ?? new Error(`${what} was answered`);
  t.match(error, { code, statusCode: 503, retryAfter: Number }, `${what}: a 503 that says when to come back`);
  t.ok(ms < BOUND_MS, `after ${ms} ms`);
}

/** Nothing of all that fails, and nothing is lost. */
async function goesOn(t: Test, load: Workload, at: Site): Promise<void> {
  const enough = load.good + 20;
  await waitFor('requests to be answered', () => load.good > enough);
  await load.end();
  t.strictSame({ unexpected: load.unexpected, ...load.trouble }, { unexpected: [], refused: 0, lost: 0 });
  t.strictSame(await load.lies(at.alice), []);
}

/** The answer in the end: on a busy machine a second is not always enough. */
function served<T>(ask: () => Promise<T>): Promise<T> {
  return waitFor('an answer', () => ask().catch(() => undefined));
}

async function isBack({ alice, front }: Site, uuid: string): Promise<void> {
  await served(() => sha1Served(alice, uuid));
  await becomes(`${front.url}/healthz`, 200);
}
