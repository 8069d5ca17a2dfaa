/** The database or the object store is killed under load and comes back: nothing that was acknowledged is lost. */

import { randomBytes } from 'node:crypto';
import { test } from 'tap';
import type { GroundUnderTest } from '../../engines/grounds.ts';
import { ALICE } from '../../helpers/accounts.ts';
import { MiB, type Site } from '../../helpers/cloud.ts';
import { ELSEWHERE, startCluster } from '../../helpers/cluster.ts';
import { MANIFEST, makeImage, sha1Of } from '../../helpers/images.ts';
import { assertSound, sha1Served } from '../../helpers/invariants.ts';
import { waitFor } from '../../helpers/wait.ts';
import { Workload } from '../../helpers/workload.ts';
import { type SlowUpload, slowUpload } from '../../src/images/files/slow-upload.ts';

const SIZE = 12 * MiB;
/** Longer than the lease of a file that is being placed. */
const LATER = 120_000;
const RESTARTS = 2;

export function storesDie({ name, make }: GroundUnderTest): void {
  test(`${name}: a store is killed under load`, async (t) => {
    const ground = await make(t);
    const { sites, balancer, alice } = await startCluster(t, ground);
    const [one, two, three] = sites;
    const bytes = randomBytes(SIZE);

    await t.test('the database: nothing that was acknowledged is lost', async (t) => {
      const load = new Workload(balancer.url, 4);
      for (let times = 0; times < RESTARTS; times += 1) {
        const enough = load.good + 40;
        await waitFor('requests to be answered', () => load.good > enough);
        await ground.documents.stop();
        await ground.documents.start();
      }
      const enough = load.good + 40;
      await waitFor('requests to be answered', () => load.good > enough);
      await load.end();
      t.strictSame(load.unexpected, []);
      t.equal(load.lost, 0, 'each request is answered');
      t.comment(`${load.good} requests, ${load.refused} with a 503, the longest took ${Math.round(load.longest)} ms`);
      t.strictSame(await load.lies(alice), []);
      await assertSound(t, three);
    });

    await t.test('the object store, in an upload: it goes on when the store is back', async (t) => {
      const { uuid } = await alice.createImage(MANIFEST);
      const upload = begun(one, uuid);
      await upload.write(bytes.subarray(0, SIZE / 2));
      await ground.objects.stop();
      const ended = upload.write(bytes.subarray(SIZE / 2)).then(() => upload.end());
      await ground.objects.start();
      t.equal((await ended).status, 200);
      await alice.activateImage(uuid);
      t.equal(await sha1Served(two.alice, uuid), sha1Of(bytes));
    });

    await t.test('the object store, in an upload, for long: a 503 in time, and it can be sent again', async (t) => {
      const { image: known } = await makeImage(alice);
      const { uuid } = await alice.createImage(MANIFEST);
      const upload = begun(one, uuid);
      await upload.write(bytes.subarray(0, SIZE / 2));
      await ground.objects.stop();
      const ended = upload.write(bytes.subarray(SIZE / 2)).then(() => upload.end());
      t.match(await ended, { status: 503, code: 'StorageIsDown' });
      await Promise.all(sites.map((site) => t.rejects(sha1Served(site.alice, known.uuid), { code: 'StorageIsDown' })));
      await ground.objects.start();
      t.same((await alice.getImage(uuid)).files, []);
      const again = begun(two, uuid);
      await again.write(bytes);
      t.equal((await again.end()).status, 200);
      await assertSound(t, three);
    });

    await t.test('the object store, in a commit: the file is there or not, and can be sent again', async (t) => {
      const { uuid } = await alice.createImage(MANIFEST);
      await one.restart({ fault: 'upload:intent-recorded=stop', ...ELSEWHERE });
      const upload = begun(one, uuid);
      await upload.write(bytes);
      const ended = upload.end();
      await one.pausesByItself();
      await ground.objects.stop();
      one.resume();
      t.match(await ended, { status: 503, code: 'StorageIsDown' });
      await ground.objects.start();
      await three.restart({ later: LATER, ...ELSEWHERE });
      await assertSound(t, three);
      await three.restart(ELSEWHERE);
      t.same((await alice.getImage(uuid)).files, []);
      const again = begun(two, uuid);
      await again.write(bytes);
      t.equal((await again.end()).status, 200);
      await assertSound(t, one);
    });
  });
}

function begun({ front }: Site, uuid: string): SlowUpload {
  return slowUpload(`${front.url}/images/${uuid}/file?account=${ALICE}&compression=none`, {
    'content-length': String(SIZE),
  });
}
