/** Two datacenters that were told to move their documents to one and the same store. */
import { test } from 'tap';
import { ALICE } from '../../helpers/accounts.ts';
import { stateOf } from '../../helpers/cloud.ts';
import { MANIFEST } from '../../helpers/images.ts';
import { type Spawned, spawnImgapi } from '../../helpers/imgapi.ts';
import { waitFor } from '../../helpers/wait.ts';
import { hasEnded, operatorOf, startMoray } from './fixture.ts';

test('of two datacenters that move to one store at the same time one fails, and its documents stay', async (t) => {
  const { keys } = await startMoray(t);
  const first = await spawnImgapi(t, { ...keys, tasks: { leaseSeconds: 120 } }, { fault: 'migrate:verified=stop' });
  const second = await spawnImgapi(t, keys);
  const make = async (server: Spawned) => server.client({ account: ALICE }).createImage(MANIFEST);
  const images = [await make(first), await make(second)] as const;
  const operators = [await operatorOf(first), await operatorOf(second)] as const;
  await operators[0].adminMigrate({ kind: 'documents', to: 'moray' });
  await waitFor('the first to be about to say that it is done', () => stateOf(first.process.pid ?? 0) === 'T');
  await operators[1].adminMigrate({ kind: 'documents', to: 'moray' });
  t.match(await hasEnded(operators[1]), { state: 'succeeded' });
  first.process.kill('SIGCONT');
  // Where it was stopped for longer than its fence lasts, it has lost that first.
  t.match(await hasEnded(operators[0]), { state: 'failed', error: /another datacenter|lifted the fence/ });
  for (const [index, server] of [first, second].entries()) {
    const uuid = images[index]?.uuid ?? '';
    t.equal((await server.client({ account: ALICE }).getImage(uuid)).uuid, uuid);
  }
});
