/** One of three processes is killed in the middle of its work, and the others finish it. */
import { Readable } from 'node:stream';
import { test } from 'tap';
import type { TaskStatus } from '#lib/api/schemas/maintenance.ts';
import type { GroundUnderTest } from '../../engines/grounds.ts';
import { BOB } from '../../helpers/accounts.ts';
import { link, MiB, type Site, startSite } from '../../helpers/cloud.ts';
import { ELSEWHERE, makeMember } from '../../helpers/cluster.ts';
import { MANIFEST, makeImage, sha1Of } from '../../helpers/images.ts';
import { assertMoved, assertSound, readDocuments, sha1Served, watchImages } from '../../helpers/invariants.ts';
import { waitFor } from '../../helpers/wait.ts';

const SIZE = 12 * MiB;
const BYTES = Buffer.alloc(SIZE, 7);
/** Longer than any lease that a dead process may have left. */
const LATER = 150_000;

const COPY_DEATHS = [
  { when: 'in the middle of the bytes', fault: 'copy:receiving=kill@10' },
  { when: 'right before the image becomes usable', fault: 'copy:before-commit=kill' },
];

export function oneDies({ name, make }: GroundUnderTest): void {
  test(`${name}: what one of three processes was doing when it was killed is finished by another`, async (t) => {
    const ground = await make(t);
    const keys = { tasks: { leaseSeconds: 1 } };
    const one = await makeMember(t, ground, keys);
    const two = await makeMember(t, ground, keys);
    const three = await makeMember(t, ground, keys);
    const begin = (fault: string): Promise<void> => one.start({ fault, ...ELSEWHERE });

    await t.test('a task', async () => {
      await begin('task:claimed=kill');
      await one.diesByItself();
      await Promise.all([two.start(ELSEWHERE), three.start(ELSEWHERE)]);
      await waitFor('all tasks to have run', async () => {
        const tasks = await two.administer<TaskStatus[]>('GET', '/tasks');
        return tasks.every(({ last_run: last }) => last !== undefined);
      });
    });

    const east = await startSite(t, 'us-east');
    await link(east, two);
    for (const { when, fault } of COPY_DEATHS) {
      await t.test(`a copy, ${when}`, async (t) => {
        const { image } = await makeImage(east.alice, {}, { size: SIZE });
        const before = east.network.received;
        // Nobody else may be faster to take it up.
        await Promise.all([two.pause(), three.pause()]);
        await begin(fault);
        const order = one.order(image.uuid, east.name).catch((error: unknown) => error);
        await one.diesByItself();
        await order;
        for (const other of [two, three]) other.resume();
        const watch = watchImages(t, two, [image.uuid]);
        t.equal((await three.ended(image.uuid)).state, 'succeeded');
        assertMoved(t, east.network.received - before, SIZE);
        await watch.end();
        await assertSound(t, three);
      });
    }

    await t.test('a deletion', async (t) => {
      const { image } = await makeImage(two.alice);
      await begin('delete:tombstone=kill');
      const deletion = one.alice.deleteImage(image.uuid).catch((error: unknown) => error);
      await one.diesByItself();
      await deletion;
      await t.rejects(two.alice.getImage(image.uuid), { code: 'ResourceNotFound' });
      // Whoever wants the UUID finishes it first; else it would be the next run of the task.
      const { uuid, name, version, type, os, owner } = image;
      await three.operator.adminImportImage({ v: 2, uuid, name, version, type, os, owner });
      t.same((await two.alice.getImage(uuid)).files, []);
      await assertSound(t, three);
    });

    await t.test('a clone and an upload, when the files are in their places', async (t) => {
      const { image } = await makeImage(two.alice, { acl: [BOB] });
      await begin('clone:placed=kill');
      const cloning = t.rejects(one.client(BOB).cloneImage(image.uuid));
      await one.diesByItself();
      await cloning;
      const { uuid } = await two.alice.createImage(MANIFEST);
      await begin('upload:placed=kill');
      const failed = t.rejects(upload(one, uuid));
      await one.diesByItself();
      await failed;
      await t.rejects(upload(two, uuid), { code: 'ImageFileBusy', statusCode: 409 }, 'as long as it may be alive');
      await three.restart({ later: LATER, ...ELSEWHERE });
      await assertSound(t, three);
      await three.restart(ELSEWHERE);
      t.equal((await two.alice.getImage(uuid)).files[0]?.sha1, sha1Of(BYTES));
      await two.alice.activateImage(uuid);
      const bob = two.client(BOB);
      t.same(await bob.listImages({ owner: BOB, state: 'all' }), [], 'of the clone nothing is left');
      const clone = await bob.cloneImage(image.uuid);
      t.equal(await sha1Served(bob, clone.uuid), image.files[0]?.sha1);
    });

    await t.test('an upload of one that only slept: it is told so when it wakes up, and spoils nothing', async (t) => {
      const { uuid } = await two.alice.createImage(MANIFEST);
      await begin('upload:intent-recorded=stop');
      const late = t.rejects(upload(one, uuid), { code: 'Conflict', statusCode: 409 });
      await one.pausesByItself();
      await three.restart({ later: LATER, ...ELSEWHERE });
      await waitFor('the file to be free', async () => {
        return (await readDocuments(three)).images.every(({ intent }) => intent === undefined);
      });
      one.resume();
      await late;
      await three.restart(ELSEWHERE);
      t.same((await two.alice.getImage(uuid)).files, []);
      await upload(two, uuid);
      await assertSound(t, two);
    });
  });
}

function upload({ alice }: Site, uuid: string): Promise<unknown> {
  return alice.addImageFile(uuid, Readable.from([BYTES]), { compression: 'none', size: SIZE });
}
