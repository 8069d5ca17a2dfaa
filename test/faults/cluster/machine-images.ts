/**
 * Images from machines with several processes: what CNAPI has answered is known to the process that asked it, and that may
 * lose the database just then.
 */
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { startTriton } from '../../doubles/triton/triton.ts';
import { type GroundUnderTest, hurried } from '../../engines/grounds.ts';
import { ADMIN, ALICE } from '../../helpers/accounts.ts';
import type { Site } from '../../helpers/cloud.ts';
import { ELSEWHERE, makeMember } from '../../helpers/cluster.ts';
import { makeImage } from '../../helpers/images.ts';
import { temporaryFolder } from '../../helpers/imgapi.ts';
import { assertSound } from '../../helpers/invariants.ts';
import { waitFor } from '../../helpers/wait.ts';
import { fromVmKeys, holdNode } from '../../src/machines/fixture.ts';

const FIELDS = { name: 'mine', version: '1.0.0' } as const;
const LEASE_SECONDS = 2;

export function machineImages({ name, make }: GroundUnderTest): void {
  test(`${name}: what becomes of an image is known although the database was gone when CNAPI answered`, async (t) => {
    const ground = hurried(await make(t));
    const triton = await startTriton(t);
    const scripts = join(await temporaryFolder(t), 'scripts');
    const begin = async (): Promise<Site> => {
      const { port: _port, ...keys } = await fromVmKeys(triton, 0, scripts);
      const site = await makeMember(t, ground, { ...keys, tasks: { leaseSeconds: LEASE_SECONDS } });
      await site.start({ ...ELSEWHERE, keys: { createFromVm: { imgapiUrl: site.front.url, scripts } } });
      return site;
    };
    const [one, two] = [await begin(), await begin()];
    const { image } = await makeImage(two.operator, { public: true }, { owner: ADMIN });
    const vm = triton.addVm({ owner_uuid: ALICE, image_uuid: image.uuid });

    /** @param during what happens before the answer comes; resolves when the database is there again */
    const forgotten = async (t: Test, during: () => Promise<() => Promise<void>>): Promise<void> => {
      const { promise: after, resolve: answer } = Promise.withResolvers<void>();
      const asked = Promise.withResolvers<void>();
      const { go } = holdNode(triton, 'taken');
      triton.cnapi.fault = ({ method }) => {
        if (method !== 'POST') return undefined;
        asked.resolve();
        return { after };
      };
      // Nobody else may have the job.
      await two.pause();
      const { image_uuid: uuid } = await one.alice.createImageFromVm(FIELDS, { vmUuid: vm.uuid });
      await asked.promise;
      const back = await during();
      answer();
      await waitFor('the node to be told', () => triton.node.orders.some(({ manifest }) => manifest.uuid === uuid));
      // Then it has insisted on writing what it was told for as long as it insists on any call.
      await t.rejects(one.alice.getImage(uuid), { code: 'ServiceUnavailable' });
      await t.rejects(one.alice.getImage(uuid), { code: 'ServiceUnavailable' });
      two.resume();
      await back();
      triton.node.after = async () => {
        throw Object.assign(new Error('no'), { body: { code: 'PrepareImageError', message: 'no' } });
      };
      go();
      const failed = await waitFor('the image to have failed', async () => {
        const found = await two.alice.getImage(uuid).catch(() => undefined);
        return found?.state === 'failed' && found;
      });
      t.match(failed.error, { code: 'PrepareImageError' }, 'not only when the time is over');
    };

    await t.test('the process is cut off from it', (t) =>
      forgotten(t, async () => {
        one.wires.documents.trouble = { kind: 'refuse' };
        one.wires.documents.cutAll();
        return async () => {
          one.wires.documents.trouble = { kind: 'none' };
        };
      }),
    );
    await t.test('it is restarted', (t) =>
      forgotten(t, async () => {
        await ground.documents.stop();
        return () => ground.documents.start();
      }),
    );
    await assertSound(t, two);
  });
}
