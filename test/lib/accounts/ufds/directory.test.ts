/** UFDS in particular: what it holds, how it is asked, and what is made of answers that are not as they should be. */
import { type Test, test } from 'tap';
import { UfdsDirectory } from '#lib/accounts/ufds/directory.ts';
import { type UfdsDouble, type UfdsDoubleOptions, USERS, ufdsDoubleFor } from '../../../doubles/ufds.ts';
import { ALICE, BOB, PEOPLE } from '../../../helpers/accounts.ts';
import { entriesOf } from '../../../helpers/ufds-entries.ts';
import { optionsFor } from './options.ts';

async function setUp(t: Test, options: UfdsDoubleOptions = {}): Promise<{ double: UfdsDouble; ufds: UfdsDirectory }> {
  const double = await ufdsDoubleFor(t, { entries: entriesOf(PEOPLE), ...options });
  const ufds = new UfdsDirectory(optionsFor({ url: double.url }));
  t.teardown(() => ufds.close());
  return { double, ufds };
}

const personDn = (uuid: string) => `uuid=${uuid}, ${USERS}`;

test('ten thousand accounts are found in a hundred searches, on two connections', async (t) => {
  const people = Array.from({ length: 10_000 }, (_, n) => {
    const hex = n.toString(16).padStart(12, '0');
    return { uuid: `00000000-0000-4000-8000-${hex}`, login: `login${n}` };
  });
  const { double, ufds } = await setUp(t, { entries: entriesOf(people) });
  const found = await ufds.byUuids(people.map(({ uuid }) => uuid));
  t.equal(found.size, 10_000);
  t.equal(found.get(people[9_999]?.uuid ?? '')?.login, 'login9999');
  t.equal(double.searches.length, 100);
  t.ok(double.connections <= 2);
});

test('an account with more keys than the directory answers at once has all of them', async (t) => {
  const keys = Object.fromEntries(Array.from({ length: 1200 }, (_, n) => [`key ${n}`, `ssh-ed25519 AAAA${n}`]));
  const { ufds } = await setUp(t, { entries: entriesOf(PEOPLE, { [ALICE]: keys }) });
  t.strictSame(await ufds.keysOf(ALICE), keys);
});

test('what is no login is not asked for, and what looks like a filter is only a text', async (t) => {
  const { double, ufds } = await setUp(t);
  for (const login of ['*', 'a*', 'alice)(uid=*', '(', 'a\\2a', 'a\u0000', `${ALICE}/x`, '', 'x'.repeat(300)]) {
    t.equal(await ufds.byLogin(login), undefined, JSON.stringify(login));
  }
  t.strictSame(double.searches, []);
  for (const login of ['alice|', '&alice', '!(x', 'älice', 'alice=', ' alice', 'ALICE', "al'ice"]) {
    t.equal(await ufds.byLogin(login), undefined, login);
  }
  for (const uuid of ['*', `${ALICE}, ou=x`, '', 'uuid']) {
    t.equal(await ufds.byUuid(uuid), undefined, uuid);
    t.strictSame(await ufds.keysOf(uuid), {}, uuid);
  }
});

test('of two logins that the directory cannot tell apart the one is found that was asked for', async (t) => {
  const twin = { uuid: BOB, login: 'ALICE' };
  const { ufds } = await setUp(t, { entries: entriesOf([{ uuid: ALICE, login: 'alice' }, twin]) });
  t.equal((await ufds.byLogin('alice'))?.uuid, ALICE);
  t.equal((await ufds.byLogin('ALICE'))?.uuid, BOB);
});

test('a login that two accounts have is nobody’s to give', async (t) => {
  const people = [ALICE, BOB].map((uuid) => ({ uuid, login: 'same' }));
  const { ufds } = await setUp(t, { entries: entriesOf(people) });
  await t.rejects(ufds.byLogin('same'), { name: 'DirectoryUnavailableError', message: /2 accounts have the login/ });
});

test('a login that was renamed, and an account that was deleted, are so at once', async (t) => {
  const { double, ufds } = await setUp(t);
  t.equal((await ufds.byLogin('alice'))?.uuid, ALICE);
  double.entries.set(personDn(ALICE), { ...double.entries.get(personDn(ALICE)), login: ['alice2'] });
  t.equal(await ufds.byLogin('alice'), undefined);
  t.equal((await ufds.byLogin('alice2'))?.uuid, ALICE);
  double.entries.delete(personDn(ALICE));
  t.equal(await ufds.byUuid(ALICE), undefined);
});

test('times are read in the forms that directories write them in', async (t) => {
  const { double, ufds } = await setUp(t);
  const time = '2024-03-01T10:20:30.000Z';
  const forms = {
    created_at: [String(Date.parse(time)), time, '20240301102030Z', '20240301102030.000Z', '20240301102030,0Z'],
    createTimestamp: ['20240301102030Z'],
  };
  for (const [name, texts] of Object.entries(forms)) {
    for (const text of texts) {
      double.entries.set(personDn(ALICE), {
        ...{ objectclass: ['sdcperson'], uuid: [ALICE], login: ['alice'] },
        [name]: [text],
      });
      t.equal((await ufds.byUuid(ALICE))?.createdAt?.toISOString(), time, `${name}: ${text}`);
    }
  }
});

test('an account whose times cannot be read was there before no share', async (t) => {
  const { double, ufds } = await setUp(t);
  double.entries.set(personDn(ALICE), {
    ...{ objectclass: ['sdcperson'], uuid: [ALICE], login: ['alice'] },
    updated_at: ['yesterday'],
  });
  t.ok((await ufds.byUuid(ALICE))?.updatedAt?.getTime() ?? 0 > Date.now() + 1e12);
});

test('entries without a UUID or login are no accounts, and keys with the same name are all kept', async (t) => {
  const { double, ufds } = await setUp(t);
  double.entries.set(personDn(BOB), { objectclass: ['sdcperson'], uuid: [BOB] });
  t.equal(await ufds.byUuid(BOB), undefined);
  for (const fingerprint of ['aa:01', 'aa:02']) {
    double.entries.set(`fingerprint=${fingerprint}, ${personDn(ALICE)}`, {
      ...{ objectclass: ['sdckey'], name: ['laptop'], fingerprint: [fingerprint] },
      openssh: [`ssh-ed25519 ${fingerprint}`],
    });
  }
  t.strictSame(Object.values(await ufds.keysOf(ALICE)).sort(), ['ssh-ed25519 aa:01', 'ssh-ed25519 aa:02']);
});
