import { test } from 'tap';
import type { Store } from '#lib/documents/store.ts';
import { ObjectStoreUnavailableError, SessionExistsError, SessionGoneError } from '#lib/objects/errors.ts';
import { documentRegister, STAGED_SESSIONS } from '#lib/objects/staging/document-register.ts';
import type { StagingRegister } from '#lib/objects/staging/register.ts';
import { documentEngines } from '../../../engines/documents.ts';

interface State {
  readonly upload?: string;
  readonly parts?: number;
}

const registerOf = (store: Store, name = 's3') => documentRegister<State>(store, name);

async function namesIn(register: StagingRegister<State>): Promise<string[]> {
  const names: string[] = [];
  for await (const { session } of register.list()) names.push(session);
  return names.sort();
}

documentEngines.withNpm.each((engine) => {
  test(`the register of write sessions in ${engine.name}`, async (t) => {
    const { store, reopen } = await engine.make(t);
    await store.open([STAGED_SESSIONS]);
    const other = await reopen();
    await other.open([STAGED_SESSIONS]);

    t.test('what one process enters, another finds, changes and removes', async (t) => {
      const before = store.now();
      await registerOf(store).add('a', 'images/x', {});
      t.match(await registerOf(other).find('a'), { session: 'a', path: 'images/x', size: 0, state: {}, mtime: Date });
      await registerOf(other).update('a', () => ({ size: 7, state: { upload: 'u' } }));
      const found = await registerOf(store).find('a');
      t.match(found, { session: 'a', path: 'images/x', size: 7, state: { upload: 'u' } });
      t.ok((found?.mtime.getTime() ?? 0) >= Math.floor(before));
      await registerOf(store).update('a', () => ({ size: 8 }));
      t.match(await registerOf(other).find('a'), { size: 8, state: { upload: 'u' } }, 'the rest stays');
      await registerOf(other).remove('a');
      await registerOf(other).remove('a');
      t.equal(await registerOf(store).find('a'), undefined);
    });

    t.test('a name is taken once in each store, and each store sees its own', async (t) => {
      const [s3, manta] = [registerOf(store), registerOf(store, 'manta')];
      await s3.add('a', 'x', {});
      await t.rejects(registerOf(other).add('a', 'y', {}), SessionExistsError);
      await manta.add('a', 'y', {});
      await manta.add('b', 'y', {});
      t.strictSame(await namesIn(s3), ['a']);
      t.strictSame(await namesIn(manta), ['a', 'b']);
      await s3.remove('a');
      t.match(await manta.find('a'), { path: 'y' });
      await Promise.all(['a', 'b'].map((session) => manta.remove(session)));
    });

    t.test('a session that is not there cannot be changed, and a refusal is passed on', async (t) => {
      const register = registerOf(store);
      await t.rejects(
        register.update('gone', () => ({ size: 1 })),
        SessionGoneError,
      );
      await register.add('a', 'x', {});
      const refusal = register.update('a', () => {
        throw new SessionGoneError('a');
      });
      await t.rejects(refusal, SessionGoneError);
      t.match(await register.find('a'), { size: 0 });
      await register.remove('a');
    });

    t.test('of changes at once none is lost', async (t) => {
      await registerOf(store).add('a', 'x', { parts: 0 });
      const change = (register: StagingRegister<State>) =>
        register.update('a', ({ state }) => ({ state: { parts: (state.parts ?? 0) + 1 } }));
      await Promise.all(Array.from({ length: 10 }, (_, at) => change(registerOf(at % 2 === 0 ? store : other))));
      t.match(await registerOf(store).find('a'), { state: { parts: 10 } });
      await registerOf(store).remove('a');
    });

    t.test('documents that fail are an object store that fails', async (t) => {
      await other.close();
      const register = registerOf(other);
      await t.rejects(register.find('a'), ObjectStoreUnavailableError);
      await t.rejects(register.add('a', 'x', {}), ObjectStoreUnavailableError);
      await t.rejects(
        register.update('a', () => ({})),
        ObjectStoreUnavailableError,
      );
      await t.rejects(register.remove('a'), ObjectStoreUnavailableError);
      await t.rejects(namesIn(register), ObjectStoreUnavailableError);
    });
  });
});
