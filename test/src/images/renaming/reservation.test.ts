/** Who comes late, because its process slept, finds another one in its place, and leaves it alone. */
import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import t from 'tap';
import type { Store } from '#lib/documents/store.ts';
import { finishDelete } from '#src/images/record/tombstones.ts';
import { reserveUuid } from '#src/images/renaming/reservation.ts';
import { ALICE } from '../../../helpers/accounts.ts';
import { sha1Of } from '../../../helpers/images.ts';
import { startInProcess } from '../../../helpers/imgapi.ts';
import { sha1Served } from '../../../helpers/invariants.ts';
import { imageRecord } from '../../imgapi/fixtures/records.ts';
import { recordOf } from '../fixture.ts';

const server = await startInProcess(t);
const { service } = server.imgapi;
const operator = server.client();

t.test('a reservation that was lost is given up without that of another image', async (t) => {
  const [one, other] = [imageRecord('unactivated'), imageRecord('unactivated')];
  const to = randomUUID();
  const lost = await reserveUuid(service, to, one);
  await finishDelete(service, to);
  const held = await reserveUuid(service, to, other);
  await lost.release();
  await held.end();
  await service.store.batch([await held.replacedBy({ ...other, uuid: to })]);
  t.match(await recordOf(server, to), { uuid: to, state: 'unactivated' });
});

t.test('a reservation of which nobody else knows is given up, with what it noted', async (t) => {
  const to = randomUUID();
  const held = await reserveUuid(service, to, imageRecord('unactivated'));
  await held.release();
  t.equal(await recordOf(server, to), undefined);
});

/** The store of a process that sleeps when it has written the next batch, while this happens. */
function sleepy(store: Store, meanwhile: () => Promise<unknown>): Store {
  let hasSlept = false;
  return new Proxy(store, {
    get(target, name) {
      const value = Reflect.get(target, name);
      if (name !== 'batch' || hasSlept) return typeof value === 'function' ? value.bind(target) : value;
      return async (...given: Parameters<Store['batch']>) => {
        hasSlept = true;
        const written = await target.batch(...given);
        await meanwhile();
        return written;
      };
    },
  });
}

t.test('an image that got the UUID while a reservation of it was ended keeps its record and its bytes', async (t) => {
  const uuid = randomUUID();
  const reserved = await reserveUuid(service, uuid, imageRecord('unactivated'));
  await reserved.end();
  const bytes = Buffer.from('the other image');
  const store = sleepy(service.store, async () => {
    await finishDelete(service, uuid);
    const manifest = { v: 2, uuid, name: 'other', version: '1', type: 'other', os: 'other', owner: ALICE };
    await operator.adminImportImage(manifest);
    await operator.addImageFile(uuid, Readable.from([bytes]), { compression: 'none' });
  });
  await finishDelete({ ...service, store }, uuid);
  t.equal(await sha1Served(operator, uuid), sha1Of(bytes));
});
