import { test } from 'tap';
import {
  type AclFields,
  aclView,
  addEntries,
  bindLogin,
  entriesOf,
  entriesReaching,
  exceedsAclLimit,
  isGranted,
  leave,
  leftEntries,
  newLogins,
  recordWithEntries,
  removeEntries,
  replaceEntries,
  replaceUuidEntries,
  sameEntries,
  withoutLogins,
} from '#lib/manifest/acl.ts';
import type { Share } from '#lib/manifest/record.ts';
import { isUuid } from '#lib/text/uuid.ts';

const BOB = 'b6512b9a-7835-4fbe-bbfd-8ecb5a7881c4';
const CAROL = 'c6512b9a-7835-4fbe-bbfd-8ecb5a7881c4';
const DAVE = 'd6512b9a-7835-4fbe-bbfd-8ecb5a7881c4';
const AT = '2026-01-01T00:00:00.000Z';

const NOBODY: AclFields = {};
const uuid = (entry: string): Share => ({ entry });
const login = (entry: string, account?: string): Share => ({
  entry,
  shared_at: AT,
  ...(account !== undefined && { account }),
});
const typed = (record: AclFields) => aclView(record, 3);

/** bob and Carol's UUID, and a login that nobody holds. */
const SHARED = recordWithEntries(NOBODY, [login('bob', BOB), uuid(CAROL), login('bib')]);

test('UUID entries alone are stored as every IMGAPI stores them', (t) => {
  t.strictSame(recordWithEntries(NOBODY, [uuid(BOB), uuid(CAROL), uuid(BOB)]), { acl: [BOB, CAROL] });
  t.strictSame(recordWithEntries(SHARED, []), {}, 'and no entries as no field');
  t.end();
});

test('logins are stored beside them, in order, with the accounts that they open the image to', (t) => {
  t.strictSame(SHARED, {
    acl: [CAROL],
    shares: [login('bob', BOB), uuid(CAROL), login('bib')],
    grants: [BOB],
  });
  t.end();
});

test('other fields of a record are kept, and the record itself is not changed', (t) => {
  const record = Object.freeze({ uuid: DAVE, acl: Object.freeze([BOB]), rev: 0, description: '' });
  t.strictSame(addEntries(record, [login('bib')]), {
    uuid: DAVE,
    acl: [BOB],
    rev: 0,
    description: '',
    shares: [uuid(BOB), login('bib')],
  });
  t.same(record.acl, [BOB]);
  t.end();
});

test('version 3 shows the list as typed, earlier versions the UUIDs in it', (t) => {
  t.strictSame(aclView(SHARED, 3), ['bob', CAROL, 'bib']);
  t.strictSame(aclView(SHARED, 2), [CAROL]);
  t.strictSame(aclView(SHARED, 1), [CAROL]);
  t.strictSame(aclView({ acl: [BOB] }, 3), [BOB]);
  t.strictSame(aclView({}, 3), []);
  t.end();
});

test('an image is open to the accounts that UUIDs name and logins were pinned to', (t) => {
  t.ok(isGranted(SHARED, BOB));
  t.ok(isGranted(SHARED, CAROL));
  t.notOk(isGranted(SHARED, DAVE));
  t.notOk(isGranted(SHARED, 'bib'), 'a login is no account');
  t.notOk(isGranted({}, BOB));
  t.end();
});

test('an account is reached by its UUID and by each login that was pinned to it', (t) => {
  const record = recordWithEntries(NOBODY, [login('robert', BOB), uuid(BOB), login('bob', BOB), uuid(CAROL)]);
  t.strictSame(entriesReaching(record, BOB), ['robert', BOB, 'bob']);
  t.strictSame(entriesReaching(record, CAROL), [CAROL]);
  t.strictSame(entriesReaching(record, DAVE), []);
  t.end();
});

test('what an older IMGAPI adds to acl comes last, what it removes is gone, and logins stay', (t) => {
  const edited = { ...SHARED, acl: [DAVE, BOB] };
  t.strictSame(typed(edited), ['bob', 'bib', DAVE, BOB]);
  t.strictSame(addEntries(edited, []).shares, [login('bob', BOB), login('bib'), uuid(DAVE), uuid(BOB)]);
  const { acl: _, ...emptied } = SHARED;
  t.strictSame(typed(emptied), ['bob', 'bib']);
  t.end();
});

test('only logins that are not listed yet have to be looked up', (t) => {
  t.strictSame(newLogins(SHARED, ['bob', DAVE, 'dave', 'bib', 'dave', CAROL]), ['dave']);
  t.end();
});

test('adding keeps the place of what is there and renews the account of a login', (t) => {
  const added = addEntries(SHARED, [login('bib', DAVE), uuid(CAROL), login('bob'), login('eve')]);
  t.strictSame(typed(added), ['bob', CAROL, 'bib', 'eve']);
  t.strictSame(added.grants, [DAVE], 'bob is held by nobody any more');
  t.end();
});

test('bob and Bob’s UUID are two entries, and removing one leaves the other', (t) => {
  const both = addEntries(SHARED, [uuid(BOB)]);
  t.ok(isGranted(removeEntries(both, ['bob']), BOB));
  t.ok(isGranted(removeEntries(both, [BOB]), BOB));
  t.notOk(isGranted(removeEntries(both, [BOB, 'bob']), BOB));
  t.strictSame(typed(removeEntries(both, ['nobody', 'Bob'])), typed(both), 'absent names are no error');
  t.end();
});

test('removing the last login leaves a record as every IMGAPI stores it', (t) => {
  t.strictSame(removeEntries(SHARED, ['bob', 'bib']), { acl: [CAROL] });
  t.strictSame(withoutLogins(SHARED), { acl: [CAROL] });
  t.end();
});

test('a version 3 write replaces the list, and keeps the accounts of logins that were there', (t) => {
  const written = replaceEntries(SHARED, ['dave', 'bob', DAVE, 'bob'], [login('dave', DAVE), login('bob', CAROL)]);
  t.strictSame(typed(written), ['dave', 'bob', DAVE]);
  t.strictSame(written.grants, [DAVE, BOB]);
  t.strictSame(typed(replaceEntries(SHARED, [], [])), []);
  t.end();
});

test('a version 2 write fills the places of the UUIDs, and logins stay where they are', (t) => {
  const record = recordWithEntries(NOBODY, [uuid(BOB), login('eve'), uuid(CAROL), login('bib')]);
  t.strictSame(typed(replaceUuidEntries(record, [CAROL])), [CAROL, 'eve', 'bib']);
  t.strictSame(typed(replaceUuidEntries(record, [DAVE, CAROL, BOB, DAVE])), [DAVE, 'eve', CAROL, 'bib', BOB]);
  t.strictSame(typed(replaceUuidEntries(record, [])), ['eve', 'bib']);
  t.end();
});

test('an account that leaves is let in by no entry, and the owner sees its logins still', (t) => {
  const both = addEntries(SHARED, [uuid(BOB)]);
  const left = leave(both, BOB);
  t.notOk(isGranted(left, BOB));
  t.strictSame(left.acl, [CAROL], 'nor would an older IMGAPI let it in');
  t.strictSame(typed(left), ['bob', CAROL, 'bib']);
  t.strictSame(entriesReaching(left, BOB), []);
  t.strictSame(left.left, [BOB]);
  t.notOk(isGranted(removeEntries(left, [CAROL]), BOB), 'also after other changes');
  t.notOk(isGranted(replaceEntries(left, ['bob', DAVE], []), BOB), 'also when the owner writes the list that it saw');
  t.notOk(isGranted(replaceUuidEntries(left, [DAVE]), BOB));
  t.end();
});

test('an account that left is let in again when the owner adds it, by either name', (t) => {
  const left = leave(SHARED, BOB);
  t.ok(isGranted(addEntries(left, [login('bob', BOB)]), BOB));
  const byUuid = addEntries(left, [uuid(BOB)]);
  t.ok(isGranted(byUuid, BOB));
  t.ok(isGranted(removeEntries(byUuid, [BOB]), BOB), 'then its login counts again as well');
  t.ok(isGranted(replaceUuidEntries(left, [CAROL, BOB]), BOB));
  t.ok(isGranted(replaceEntries(left, ['bob', BOB], []), BOB));
  const again = replaceEntries(removeEntries(left, ['bob']), ['bob'], [login('bob', BOB)]);
  t.ok(isGranted(again, BOB), 'also after it was off the list');
  t.equal(again.left, undefined);
  t.end();
});

test('an account that left and is added by an older IMGAPI is in again', (t) => {
  const left = leave(SHARED, BOB);
  const edited = { ...left, acl: [CAROL, BOB] };
  t.ok(isGranted(edited, BOB));
  t.equal(addEntries(edited, []).left, undefined);
  t.end();
});

test('leaving takes a UUID off the list, and the owner is told', (t) => {
  const left = leave({ acl: [BOB, CAROL] }, BOB);
  t.strictSame(left, { acl: [CAROL], left_uuids: [BOB] });
  t.strictSame(leave({ acl: [CAROL] }, BOB), { acl: [CAROL] });
  t.strictSame(leftEntries(left), [BOB]);
  t.strictSame(leftEntries(replaceUuidEntries(left, [DAVE])), [BOB], 'also after the list was written anew');
  t.strictSame(leftEntries(addEntries(left, [login('dave', DAVE)])), [BOB]);
  t.strictSame(addEntries(left, [uuid(BOB)]), { acl: [CAROL, BOB] }, 'until it is added again');
  t.strictSame(leftEntries({ ...left, acl: [CAROL, BOB] }), [], 'be it by an older IMGAPI');
  t.strictSame(removeEntries(left, [BOB]), { acl: [CAROL] }, 'or removed by name');
  t.end();
});

test('the logins that were left are marked as long as they open nothing', (t) => {
  const left = leave(addEntries(SHARED, [uuid(BOB)]), BOB);
  t.strictSame(leftEntries(left), ['bob', BOB]);
  t.strictSame(leftEntries(removeEntries(left, ['bob'])), [BOB]);
  t.strictSame(leftEntries(addEntries(left, [login('bob', BOB)])), [BOB], 'its UUID is not on the list');
  t.strictSame(leftEntries(addEntries(left, [uuid(BOB)])), []);
  t.strictSame(leftEntries(SHARED), []);
  t.end();
});

test('two lists are the same in whatever order, but not when they open the image to others', (t) => {
  const one = recordWithEntries(NOBODY, [uuid(BOB), login('eve', CAROL), login('bib')]);
  const other = recordWithEntries(NOBODY, [login('bib'), uuid(BOB), login('eve', CAROL)]);
  t.ok(sameEntries(one, other));
  t.notOk(sameEntries(one, recordWithEntries(NOBODY, [uuid(BOB), login('eve', DAVE), login('bib')])));
  t.notOk(sameEntries(one, leave(other, CAROL)));
  t.notOk(sameEntries(one, addEntries(other, [uuid(DAVE)])));
  t.end();
});

test('a login that nobody held can be pinned later, once', (t) => {
  const bound = bindLogin(SHARED, 'bib', DAVE);
  t.strictSame(bound?.grants, [BOB, DAVE]);
  t.equal(bindLogin(SHARED, 'bob', DAVE), undefined, 'bob has an account');
  t.equal(bindLogin(SHARED, 'eve', DAVE), undefined, 'eve is not listed');
  t.equal(bindLogin(SHARED, CAROL, DAVE), undefined, 'a UUID is no login');
  t.end();
});

test('a list that is too long may shrink but not grow', (t) => {
  const many = (count: number) => ({
    acl: Array.from({ length: count }, (_, index) => `00000000-0000-0000-0000-${String(index).padStart(12, '0')}`),
  });
  t.notOk(exceedsAclLimit(many(999), many(1000)));
  t.ok(exceedsAclLimit(many(1000), many(1001)));
  t.notOk(exceedsAclLimit(many(1500), many(1499)));
  t.notOk(exceedsAclLimit(many(1500), many(1500)));
  t.end();
});

/** A small generator, so that a failure can be repeated by its seed. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const ACCOUNTS = Array.from({ length: 6 }, (_, index) => `${index}6512b9a-7835-4fbe-bbfd-8ecb5a7881c4`);
const HOLDERS: Readonly<Record<string, string | undefined>> = {
  alice: ACCOUNTS[0],
  robert: ACCOUNTS[1],
  bob: ACCOUNTS[1],
  carol: ACCOUNTS[2],
};
const LOGINS = [...Object.keys(HOLDERS), 'nobody', 'noone'];

const resolved = (name: string): Share => (isUuid(name) ? uuid(name) : login(name, HOLDERS[name]));
const logins = (record: AclFields) => typed(record).filter((entry) => !isUuid(entry));

test('whatever the order of writes, an old client’s read-modify-write never loses a login', (t) => {
  const failures: string[] = [];
  for (let seed = 1; seed <= 300; seed++) {
    const below = randomNumbers(seed);
    const some = (from: readonly string[]) => from.filter(() => below(2) === 0).toSorted(() => below(3) - 1);
    let record: AclFields = {};
    for (let step = 0; step < 30; step++) {
      const before = logins(record);
      const writer = below(6);
      if (writer === 0) record = addEntries(record, some([...ACCOUNTS, ...LOGINS]).map(resolved));
      else if (writer === 1) record = removeEntries(record, some([...ACCOUNTS, ...LOGINS]));
      else if (writer === 2) {
        const names = some([...ACCOUNTS, ...LOGINS]);
        record = replaceEntries(record, names, newLogins(record, names).map(resolved));
        if (typed(record).join() !== names.join()) failures.push(`seed ${seed}: version 3 shows what was written`);
      } else if (writer === 3) record = leave(record, ACCOUNTS[below(ACCOUNTS.length)]!);
      else if (writer === 4) {
        const seen = aclView(record, 2);
        const written = [...some(seen), ...some(ACCOUNTS.filter((account) => !seen.includes(account)))];
        record = replaceUuidEntries(record, written);
        if (aclView(record, 2).join() !== written.join()) {
          failures.push(`seed ${seed}: version 2 shows what was written`);
        }
        if (logins(record).join() !== before.join()) failures.push(`seed ${seed}: logins stay, in order`);
      } else {
        // An older IMGAPI on the same bucket knows acl only.
        record = { ...record, acl: some(ACCOUNTS) };
        if (logins(record).join() !== before.join()) failures.push(`seed ${seed}: logins stay beside an older IMGAPI`);
      }
      checkConsistency(record, seed);
    }
  }
  t.same(failures, []);
  t.end();

  function checkConsistency(record: AclFields, seed: number): void {
    const entries = entriesOf(record);
    const names = entries.map(({ entry }) => entry);
    if (new Set(names).size !== names.length) failures.push(`seed ${seed}: no entry twice`);
    for (const account of ACCOUNTS) {
      const byUuid = names.includes(account);
      const byLogin = entries.some((share) => share.account === account);
      const left = record.left?.includes(account) ?? false;
      if (isGranted(record, account) !== (byUuid || (byLogin && !left))) {
        failures.push(`seed ${seed}: access follows the list`);
      }
      const reached = entriesReaching(record, account).length > 0;
      if (reached !== isGranted(record, account)) failures.push(`seed ${seed}: whoever sees the image sees why`);
    }
  }
});
