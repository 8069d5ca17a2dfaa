/** Imports by today's clients from servers that are not linked, while things break. */
import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import { test } from 'tap';
import { ALICE, BOB } from '../helpers/accounts.ts';
import { MiB, type Site, startSite } from '../helpers/cloud.ts';
import { makeImage } from '../helpers/images.ts';
import { assertMoved, assertSound, sha1Served, watchImages } from '../helpers/invariants.ts';
import { waitFor } from '../helpers/wait.ts';

const OLD = 'us-old';
const SIZE = 24 * MiB;

/** The part of sdc-clients that is used here. */
interface SdcImgapi {
  importImageFromDatacenterAndWait(uuid: string, account: string, options: object, done: Done): void;
  adminImportRemoteImageAndWait(uuid: string, source: string, options: object, done: Done): void;
  close(): void;
}
type Done = (error: Error | null, image?: { readonly uuid: string; readonly state: string }) => void;

const SdcClient: new (options: { url: string }) => SdcImgapi = createRequire(import.meta.url)('sdc-clients/lib/imgapi');

test('An unlinked server is read through its main port', async (t) => {
  const source = await startSite(t, 'us-east');
  const { front } = source;
  const west = await startSite(t, 'us-west', { imgapiUrlFromDatacenter: { [OLD]: front.url } });
  const client = new SdcClient({ url: west.front.url });
  t.teardown(() => client.close());

  await t.test('sdc-clients import an image and its chain for an account, over a network that is cut', async (t) => {
    const uuids = await chain(source, [ALICE, ALICE], 6 * MiB);
    const [, head = ''] = uuids;
    front.trouble = { kind: 'cut', after: 4 * MiB };
    t.teardown(() => {
      front.trouble = { kind: 'none' };
    });
    const watch = watchImages(t, west, uuids);
    const wait = promisify(client.importImageFromDatacenterAndWait.bind(client));
    t.match(await wait(head, ALICE, { datacenter: OLD }), { uuid: head, state: 'active' });
    await watch.end();
    await assertSound(t, west);
  });

  await t.test('sdc-clients import a foreign chain with a disabled origin for the operator', async (t) => {
    const uuids = await chain(source, [BOB, ALICE], MiB);
    const [base = '', head = ''] = uuids;
    await source.operator.disableImage(base);
    const wait = promisify(client.adminImportRemoteImageAndWait.bind(client));
    t.match(await wait(head, front.url, {}), { uuid: head, state: 'active' });
    t.match(await west.operator.getImage(base), { state: 'disabled', owner: BOB });
    t.equal(await sha1Served(west.operator, base), (await source.operator.getImage(base)).files[0]?.sha1);
    await assertSound(t, west);
  });

  await t.test('both servers die in the middle: the import goes on where it was', async (t) => {
    const [uuid = ''] = await chain(source, [BOB], SIZE);
    front.trouble = { kind: 'slow', bytesPerSecond: 16 * MiB };
    t.teardown(() => {
      front.trouble = { kind: 'none' };
    });
    const before = front.received;
    const { job_uuid } = await west.operator.adminImportRemoteImage(uuid, front.url);
    await waitFor('bytes to flow', () => front.received - before > SIZE / 2);
    await Promise.all([source.kill(), west.kill()]);
    await Promise.all([source.start(), west.start()]);
    const job = await waitFor('the job to end', async () => {
      const found = await west.operator.getJob(job_uuid);
      return ['succeeded', 'failed'].includes(found.execution) && found;
    });
    t.equal(job.execution, 'succeeded');
    assertMoved(t, front.received - before, SIZE);
    await assertSound(t, west);
  });
  await assertSound(t, source);
});

/** Active images, each the origin of the next, base first. */
async function chain(site: Site, owners: readonly string[], size: number): Promise<string[]> {
  const uuids: string[] = [];
  for (const owner of owners) {
    const origin = uuids.at(-1);
    const { image } = await makeImage(site.operator, origin === undefined ? {} : { origin }, { owner, size });
    uuids.push(image.uuid);
  }
  return uuids;
}
