/** The log of SQLite is brought to the disk beside the event loop, and nobody is told of a write before that. */
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'tap';
import { StoreUnavailableError } from '#lib/documents/errors.ts';
import { Connection } from '#lib/documents/sqlite/connection.ts';
import { LogSync } from '#lib/documents/sqlite/log-sync.ts';
import { Writer } from '#lib/documents/sqlite/writer.ts';
import { waitFor } from '../../../helpers/wait.ts';

test('a batch is acknowledged when the log is on the disk, and those that came meanwhile are committed together', async (t) => {
  const connection = new Connection(join(t.testdir(), 'a.sqlite'), { isSyncedLater: true });
  t.teardown(() => connection.close());
  const syncs: PromiseWithResolvers<void>[] = [];
  connection.synced = () => {
    const sync = Promise.withResolvers<void>();
    syncs.push(sync);
    return sync.promise;
  };
  const writer = new Writer(connection, 1000, () => undefined, undefined);
  const written: string[] = [];
  const write = (name: string): Promise<unknown> => writer.write(() => [name], false).then(() => written.push(name));
  const first = write('first');
  await waitFor('the first sync', () => syncs.length === 1);
  const others = ['second', 'third'].map(write);
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  t.same(written, []);
  syncs[0]?.resolve();
  await first;
  t.same(written, ['first']);
  await waitFor('the next sync', () => syncs.length === 2);
  syncs[1]?.resolve();
  await Promise.all(others);
  t.same(written, ['first', 'second', 'third']);
  t.equal(syncs.length, 2);
});

test('after a sync that failed nothing more is written: the system says only once what it could not write', async (t) => {
  const path = join(t.testdir(), 'b.sqlite');
  // What cannot be synced.
  await symlink('/dev/null', `${path}-wal`);
  const log = new LogSync(path);
  t.teardown(() => log.close());
  log.assert();
  await t.rejects(log.sync(), StoreUnavailableError);
  t.throws(() => log.assert(), { message: /could not be brought to the disk.*restart the service/ });
  await t.rejects(log.sync(), { message: /could not be brought to the disk/ });
});

test('a sync that was asked for before the end is still made, and none is told of after it that was not', async (t) => {
  const path = join(t.testdir(), 'c.sqlite');
  await symlink('/dev/null', `${path}-wal`);
  const log = new LogSync(path);
  const asked = log.sync();
  log.close();
  log.close();
  await t.rejects(asked, StoreUnavailableError);
  const closed = new Connection(join(t.testdir(), 'd.sqlite'), { isSyncedLater: true });
  closed.close();
  await t.rejects(closed.synced());
});

test('what reads show lasts once it has settled, also what another process wrote', async (t) => {
  const path = join(t.testdir(), 'c.sqlite');
  const [mine, other] = [1, 2].map(() => new Connection(path, { isSyncedLater: true }));
  if (!mine || !other) throw new Error('there are two');
  t.teardown(() => [mine, other].forEach((connection) => void connection.close()));
  mine.write(() => mine.db.exec('create table t (n)'));
  t.ok(mine.settled(), 'its own commit is waited for');
  await mine.settled();
  t.equal(mine.settled(), undefined, 'nothing has happened since');
  other.write(() => other.db.exec('insert into t values (1)'));
  t.ok(mine.settled(), 'a commit of another is waited for');
  await mine.settled();
  t.equal(mine.settled(), undefined);
});
