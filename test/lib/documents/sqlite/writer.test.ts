/** The queue of batches goes on, whatever happens to one of them. */
import { join } from 'node:path';
import { test } from 'tap';
import { Connection } from '#lib/documents/sqlite/connection.ts';
import { Reserve } from '#lib/documents/sqlite/reserve.ts';
import { Writer } from '#lib/documents/sqlite/writer.ts';

test('where the reserve cannot be looked at, a batch is refused and those behind it are not kept waiting', async (t) => {
  const path = join(t.testdir(), 'a.sqlite');
  const connection = new Connection(path);
  t.teardown(() => connection.close());
  const reserve = new Reserve(path);
  const { hold } = reserve;
  reserve.hold = async () => {
    throw new Error('the folder cannot be read');
  };
  const writer = new Writer(connection, 1000, () => undefined, reserve);
  await t.rejects(
    writer.write(() => ['a'], false),
    { message: 'the folder cannot be read' },
  );
  reserve.hold = hold;
  t.same(await writer.write(() => ['b'], false), ['b']);
});
