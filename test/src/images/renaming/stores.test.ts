/** The same in the other object stores: the bytes are under the new UUID, and nothing is left. */
import { randomUUID } from 'node:crypto';
import { type Test, test } from 'tap';
import { MANTA_MODES, mantaFor } from '../../../engines/manta.ts';
import { s3For } from '../../../engines/s3.ts';
import { ALICE } from '../../../helpers/accounts.ts';
import { makeImage, sha1Of } from '../../../helpers/images.ts';
import { type ConfigKeys, startInProcess } from '../../../helpers/imgapi.ts';
import { sha1Served } from '../../../helpers/invariants.ts';

const PNG = Buffer.from('89504e470d0a1a0a', 'hex');

const STORES: Readonly<Record<string, (t: Test) => Promise<ConfigKeys>>> = {
  s3: async (t) => (await s3For(t)).keys,
  ...Object.fromEntries(
    Object.entries(MANTA_MODES).map(([name, mode]) => [
      name,
      async (t: Test) => (await mantaFor(t, mode as (typeof MANTA_MODES)['Manta v2'])).keys,
    ]),
  ),
};

for (const [name, start] of Object.entries(STORES)) {
  test(`${name}: an image gets another UUID with its file and icon`, async (t) => {
    const server = await startInProcess(t, await start(t));
    const operator = server.client();
    const { image, bytes } = await makeImage(operator, {}, { owner: ALICE, size: 300_000, activate: false });
    await operator.addImageIcon(image.uuid, PNG, 'image/png');
    const to = randomUUID();
    t.equal((await operator.updateImage(image.uuid, { uuid: to })).uuid, to);
    t.equal(await sha1Served(operator, to), sha1Of(bytes));
    const { service } = server.imgapi;
    for (const store of service.storages) {
      t.strictSame(await store.list(`images/${image.uuid.slice(0, 3)}/${image.uuid}`), [], store.name);
      t.strictSame(await store.sessions(), []);
    }
    const [shared] = (await operator.getImage(to, { inclAdminFields: true })).files;
    t.not(shared?.stor, 'local');
    const names = await service.storages.named(shared?.stor ?? '').list(`images/${to.slice(0, 3)}/${to}`);
    t.strictSame(
      names.map((entry) => entry.name),
      ['file0', 'icon'],
    );
  });
}
