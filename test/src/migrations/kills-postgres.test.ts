/** The process that moves the documents is killed, with PostgreSQL as the old store and as the new one. */
import { test } from 'tap';
import { postgresFor } from '../../engines/postgres/postgres-for.ts';
import { killed, MOVE_FAULTS, startMoray } from './fixture.ts';

test('whoever is killed on the way from PostgreSQL, or to it, is followed by another', async (t) => {
  const chain = async (fault: string): Promise<void> => {
    const { keys } = await postgresFor(t);
    const out = await killed(t, keys, 'local', { fault });
    await out.stop();
    const back = await killed(t, keys, 'postgres', { fault, dataDir: out.dataDir });
    await back.stop();
  };
  // They wait most of the time.
  await Promise.all(MOVE_FAULTS.map(chain));
});

for (const fault of ['migrate:fenced', 'migrate:done']) {
  test(`whoever is killed at ${fault} on the way from Moray, where it was alone, is followed by another`, async (t) => {
    const { keys } = await startMoray(t);
    const { postgres } = (await postgresFor(t)).keys;
    const heir = await killed(t, { ...keys, postgres, databaseType: 'moray' }, 'postgres', { fault });
    await heir.stop();
  });
}
