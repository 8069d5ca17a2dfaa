/** Three processes behind a balancer are replaced one after the other while clients ask, upload, download and watch. */
import { once } from 'node:events';
import { test } from 'tap';
import { request } from 'undici';
import { isFinal } from '#lib/api/copy-states.ts';
import { ImgapiClient } from '#lib/client/client.ts';
import { followCopy } from '#src/cli/shared/copying/follow-copy.ts';
import { ALICE } from '../helpers/accounts.ts';
import { startBalancer } from '../helpers/balancer.ts';
import { MiB, type Site, secondProcess, startCloud } from '../helpers/cloud.ts';
import { MANIFEST, makeImage, sha1Of } from '../helpers/images.ts';
import { assertSound, sha1Served } from '../helpers/invariants.ts';
import { startLoad } from '../helpers/load.ts';
import { waitFor } from '../helpers/wait.ts';
import { slowUpload } from '../src/images/files/slow-upload.ts';

const portOf = (site: Site): number => Number(new URL(site.server.url).port);

test('A rolling restart fails no request, and a watch goes on at another process', async (t) => {
  const { east, west } = await startCloud(t);
  const sites = [west, await secondProcess(t, west), await secondProcess(t, west)];
  for (const site of sites.slice(1)) await site.start();
  const balancer = await startBalancer(sites.map(portOf));
  t.teardown(() => balancer.close());
  const alice = new ImgapiClient({ url: balancer.url, account: ALICE });
  t.teardown(() => alice.destroy());

  const { image } = await makeImage(alice, {}, { size: 2 * MiB });
  const { image: coming } = await makeImage(east.alice, {}, { size: 16 * MiB });
  const { uuid } = await alice.createImage(MANIFEST);
  const load = startLoad(balancer.url, `/images/${image.uuid}?account=${ALICE}`);
  const bytes = Buffer.alloc(MiB, 5);
  const upload = slowUpload(`${balancer.url}/images/${uuid}/file?account=${ALICE}&compression=none`, {
    'content-length': String(bytes.length),
  });
  await upload.write(bytes.subarray(0, 1000));
  const download = await request(`${balancer.url}/images/${image.uuid}/file?account=${ALICE}`);
  east.network.trouble = { kind: 'slow', bytesPerSecond: MiB / 16 };
  await alice.copyImageFromDc(coming.uuid, { datacenter: east.name });
  const events: string[] = [];
  const signal = AbortSignal.timeout(300_000);
  const followed = (async () => {
    const watch = (aborts: AbortSignal) => alice.watchImageCopy(coming.uuid, { signal: aborts });
    for await (const event of followCopy(watch, { signal, patience: 60_000 })) {
      events.push(event.kind);
      if (event.kind === 'status' && isFinal(event.status.state)) return event.status.state;
    }
    return undefined;
  })();
  await waitFor('the watch to begin', () => events.length > 0);

  for (const [at, site] of sites.entries()) {
    const enough = load.good + 300;
    await waitFor('requests to be answered', () => load.good > enough);
    const stopped = site.server.stop();
    // Uploads and downloads end where they began.
    if (at === 0) {
      const rest = slowly(upload, bytes.subarray(1000));
      t.equal((await download.body.arrayBuffer()).byteLength, 2 * MiB);
      await rest;
      t.equal((await upload.end()).status, 200);
    }
    t.equal(await stopped, 0);
    await site.start();
    balancer.ports = sites.map(portOf);
  }
  const enough = load.good + 300;
  await waitFor('requests to be answered', () => load.good > enough);
  await load.end();
  t.strictSame(load.failures, []);
  t.ok(load.good > 1000, `${load.good} requests were answered`);
  east.network.trouble = { kind: 'none' };
  t.equal(await followed, 'succeeded');
  t.ok(events.includes('lost') && events.includes('back'), 'the watch was ended, and taken up again');
  t.equal(await sha1Served(west.alice, coming.uuid), coming.files[0]?.sha1);
  t.equal((await alice.getImage(uuid)).files[0]?.sha1, sha1Of(bytes));
  await assertSound(t, west);
});

/** In some pieces, so that the upload is under way for a while. */
async function slowly(upload: ReturnType<typeof slowUpload>, bytes: Buffer): Promise<void> {
  const piece = Math.ceil(bytes.length / 8);
  for (let at = 0; at < bytes.length; at += piece) {
    await upload.write(bytes.subarray(at, at + piece));
    await once(AbortSignal.timeout(100), 'abort');
  }
}
