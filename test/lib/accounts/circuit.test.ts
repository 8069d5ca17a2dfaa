/** A directory that is down is looked for by one probe at a time, and nobody else waits for it. */
import { type Test, test } from 'tap';
import { type Account, type Accounts, DirectoryUnavailableError } from '#lib/accounts/accounts.ts';
import { breakCircuit } from '#lib/accounts/circuit.ts';
import { NIL_UUID } from '#lib/text/uuid.ts';
import { waitFor } from '../../helpers/wait.ts';

const UUID = 'a45c9276-b8e1-11e7-90b1-6fc7cbadf3ef';

/** A directory whose answers are given by the test. */
function setUp(t: Test) {
  const state = {
    asked: [] as string[],
    logged: [] as string[],
    answer: async (): Promise<Account | undefined> => undefined,
  };
  const ask = (uuid: string) => {
    state.asked.push(uuid);
    return state.answer();
  };
  const directory = { byUuid: ask, byLogin: ask, close: async () => undefined } as unknown as Accounts;
  const write = (_fields: object, message: string) => state.logged.push(message);
  const accounts = breakCircuit(directory, { log: { info: write, warn: write }, minDelay: 5, maxDelay: 20 });
  t.teardown(() => accounts.close());
  return Object.assign(state, { accounts });
}

const away =
  (message: string, answered = false) =>
  async (): Promise<never> => {
    throw new DirectoryUnavailableError(message, { answered });
  };

test('once it is found out that the directory is down, calls fail at once, for the same reason, without asking it', async (t) => {
  const state = setUp(t);
  state.answer = away('gone');
  await t.rejects(state.accounts.byUuid(UUID), { message: 'gone' });
  // A probe that never ends.
  state.answer = () => new Promise(() => undefined);
  await waitFor('a probe', () => state.asked.includes(NIL_UUID));
  const asked = state.asked.length;
  for (let n = 0; n < 100; n += 1) await t.rejects(state.accounts.byLogin('alice'), { message: 'gone' });
  t.equal(state.asked.length, asked, 'nor is there a second probe');
});

test('it is used again as soon as a probe got an answer, and the log has one line for each change', async (t) => {
  const state = setUp(t);
  state.answer = away('gone');
  await t.rejects(state.accounts.byUuid(UUID));
  await waitFor('several probes', () => state.asked.length > 4);
  state.answer = away('slow');
  await waitFor('another reason', () => state.logged.length > 1);
  state.answer = async () => undefined;
  await waitFor('the directory', () =>
    state.accounts.byUuid(UUID).then(
      () => true,
      () => false,
    ),
  );
  t.strictSame(state.logged, [
    'the directory of accounts is unavailable: gone',
    'the directory of accounts is still unavailable: slow',
    'the directory of accounts is back',
  ]);
});

test('what the directory refuses once, and errors that are none of its, keep nobody from asking', async (t) => {
  const state = setUp(t);
  for (const answer of [away('not this', true), () => Promise.reject(new TypeError('a fault of ours'))]) {
    state.answer = answer;
    await t.rejects(state.accounts.byUuid(UUID));
    await t.rejects(state.accounts.byUuid(UUID));
  }
  t.equal(state.asked.length, 4);
  t.strictSame(state.logged, []);
});

test('after it is closed there are no more probes', async (t) => {
  const state = setUp(t);
  state.answer = away('gone');
  await t.rejects(state.accounts.byUuid(UUID));
  await waitFor('a probe', () => state.asked.length > 1);
  await state.accounts.close();
  const asked = state.asked.length;
  // Another one tells how time goes by.
  const other = setUp(t);
  other.answer = away('gone');
  await t.rejects(other.accounts.byUuid(UUID));
  await waitFor('probes of another', () => other.asked.length > 6);
  t.ok(state.asked.length <= asked + 1);
});
