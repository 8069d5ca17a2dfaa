import { randomUUID } from 'node:crypto';
import t from 'tap';
import { ALICE, BOB, CAROL } from '../../../helpers/accounts.ts';
import { MANIFEST, makeImage } from '../../../helpers/images.ts';
import { startInProcess } from '../../../helpers/imgapi.ts';
import { recordOf, refusal, send } from '../fixture.ts';

const server = await startInProcess(t);
const operator = server.client();
const alice = server.client({ account: ALICE });
const bob = server.client({ account: BOB });
const carol = server.client({ account: CAROL });
const aliceV2 = server.client({ account: ALICE, version: '~2' });
const STRANGER = '00000000-1111-4222-8333-444444444444';

const make = async (fields: object = {}, activate = true) =>
  (await makeImage(operator, fields, { owner: ALICE, size: 10, activate })).image.uuid;
const aclOf = async (uuid: string) => (await alice.getImage(uuid)).acl;
const sees = async (client: typeof bob, uuid: string) => {
  try {
    return (await client.getImage(uuid)).uuid === uuid;
  } catch {
    return false;
  }
};

t.test('an image is shared by login and by UUID, and shown as it was typed, in order', async (t) => {
  const uuid = await make();
  t.same((await alice.addImageAcl(uuid, ['carol'])).acl, ['carol']);
  t.same((await alice.addImageAcl(uuid, [BOB, 'nobody-at-all'])).acl, ['carol', BOB, 'nobody-at-all']);
  t.same((await operator.getImage(uuid)).acl, ['carol', BOB, 'nobody-at-all']);
  t.ok(await sees(bob, uuid));
  t.ok(await sees(carol, uuid));
  t.same((await recordOf(server, uuid))?.acl, [BOB], 'an older IMGAPI on the same bucket sees the UUIDs');
});

t.test('a login and the UUID of who holds it are two entries', async (t) => {
  const uuid = await make();
  t.same((await alice.addImageAcl(uuid, ['bob', BOB, 'bob', BOB])).acl, ['bob', BOB]);
  t.same((await bob.getImage(uuid)).shared_as, ['bob', BOB]);
  t.same((await alice.removeImageAcl(uuid, ['bob']))?.acl, [BOB]);
  t.ok(await sees(bob, uuid), 'the UUID is still there');
  await alice.addImageAcl(uuid, ['bob']);
  t.same((await alice.removeImageAcl(uuid, [BOB]))?.acl, ['bob']);
  t.ok(await sees(bob, uuid), 'the login is still there');
  t.same((await alice.removeImageAcl(uuid, ['bob']))?.acl, undefined);
  t.notOk(await sees(bob, uuid));
});

t.test('entries are added once and keep their place; absent ones are removed without a word', async (t) => {
  const uuid = await make({ acl: ['bob', CAROL] });
  t.same((await alice.addImageAcl(uuid, [CAROL, STRANGER, 'bob'])).acl, ['bob', CAROL, STRANGER]);
  t.same((await alice.removeImageAcl(uuid, ['Bob', ALICE, 'boo']))?.acl, ['bob', CAROL, STRANGER]);
  t.same((await alice.addImageAcl(uuid, [])).acl, ['bob', CAROL, STRANGER]);
  t.same((await alice.removeImageAcl(uuid, []))?.acl, ['bob', CAROL, STRANGER]);
});

t.test('logins are compared to the letter', async (t) => {
  const uuid = await make();
  t.same((await alice.addImageAcl(uuid, ['Bob', 'BOB'])).acl, ['Bob', 'BOB']);
  t.notOk(await sees(bob, uuid));
});

t.test('an update replaces the list, in the order given', async (t) => {
  const uuid = await make({ acl: ['bob', CAROL] });
  t.same((await alice.updateImage(uuid, { acl: [CAROL, 'new-login', 'bob', 'bob'] })).acl, [CAROL, 'new-login', 'bob']);
  t.ok(await sees(bob, uuid));
  t.same((await alice.updateImage(uuid, { acl: null })).acl, undefined);
  t.notOk(await sees(bob, uuid));
  t.notOk(await sees(carol, uuid));
  t.same((await alice.updateImage(uuid, { acl: [] })).acl, undefined);
});

t.test('who sees the list', async (t) => {
  const uuid = await make({ acl: ['bob', BOB, 'carol', STRANGER], public: true });
  t.same((await operator.getImage(uuid)).acl, ['bob', BOB, 'carol', STRANGER]);
  t.same(await aclOf(uuid), ['bob', BOB, 'carol', STRANGER]);
  t.match(await bob.getImage(uuid), { acl: [BOB], shared_as: ['bob', BOB] });
  t.match(await carol.getImage(uuid), { acl: [CAROL], shared_as: ['carol'] });
  const somebody = await server.client({ account: randomUUID() }).getImage(uuid);
  t.match(somebody, { acl: undefined, shared_as: undefined });
  for (const version of ['~1', '~2', '*'] as const) {
    t.same((await server.client({ version }).getImage(uuid)).acl, [BOB, STRANGER], `operators by ${version}`);
    const shown = await server.client({ version, account: CAROL }).getImage(uuid);
    t.match(shown, { acl: [CAROL], shared_as: undefined }, `a sharee by ${version}`);
  }
});

t.test('an image that is not activated is not seen by those that it is shared with', async (t) => {
  const uuid = await make({ acl: ['bob', CAROL] }, false);
  t.notOk(await sees(bob, uuid));
  t.notOk(await sees(carol, uuid));
  await operator.activateImage(uuid);
  t.ok(await sees(bob, uuid));
  await operator.disableImage(uuid);
  t.ok(await sees(carol, uuid), 'but a disabled one is');
});

t.test('any UUID is taken, also the owner’s own and that of nobody', async (t) => {
  const uuid = await make({}, false);
  t.same((await alice.addImageAcl(uuid, [ALICE, STRANGER])).acl, [ALICE, STRANGER]);
});

t.test('the answer does not tell whether anybody holds a login', async (t) => {
  const shape = async (login: string, write: (uuid: string) => { action: string; path: string; body: unknown }) => {
    const uuid = await make();
    const { action, path, body } = write(uuid);
    const answer = await send(server.url, {
      method: 'POST',
      path: `/images/${uuid}${path}?account=${ALICE}&action=${action}`,
      headers: { 'accept-version': '~3' },
      body,
    });
    const changing = ['date', 'etag', 'x-request-id', 'x-response-time'];
    const own = (text: string) =>
      text
        .replaceAll(uuid, 'UUID')
        .replaceAll(login, 'LOGIN')
        .replace(/"(published_at|sha\w+)": ".*?"/g, '');
    const seen = await send(server.url, {
      path: `/images/${uuid}?account=${ALICE}`,
      headers: { 'accept-version': '~3' },
    });
    return {
      status: answer.status,
      headers: Object.entries(answer.headers).filter(([name]) => !changing.includes(name)),
      names: Object.keys(answer.headers),
      body: own(answer.bytes.toString()),
      seen: own(seen.bytes.toString()),
    };
  };
  for (const write of [
    (login: string) => () => ({ action: 'add', path: '/acl', body: [login] }),
    (login: string) => () => ({ action: 'update', path: '', body: { acl: [login] } }),
    (login: string) => () => ({ action: 'remove', path: '/acl', body: [login] }),
  ]) {
    t.same(await shape('bob', write('bob')), await shape('xyz', write('xyz')));
  }
});

t.test('what may be an entry', async (t) => {
  const uuid = await make();
  const good = ['abc', 'a_b.c@d%e-f', 'A'.repeat(32), 'a23'];
  t.same((await alice.addImageAcl(uuid, good)).acl, good);
  const bad = [
    'ab',
    '1abc',
    'A'.repeat(33),
    'a b',
    'ab/c',
    'bøb',
    '',
    null,
    7,
    ['bob'],
    { login: 'bob' },
    ALICE.toUpperCase(),
  ];
  for (const entry of bad) {
    for (const action of ['add', 'remove']) {
      const answer = await send(server.url, {
        method: 'POST',
        path: `/images/${uuid}/acl?action=${action}`,
        headers: { 'accept-version': '~3' },
        body: [CAROL, entry],
      });
      const expected = { code: 'InvalidParameter', message: /item 1 is/, errors: [{ field: 'acl', code: 'Invalid' }] };
      t.match(answer, { status: 422, json: expected }, JSON.stringify(entry));
    }
    t.match(await refusal(alice.updateImage(uuid, { acl: [entry] })), { status: 422, fields: ['acl'] });
  }
  for (const body of [{}, 'bob', 7, null, { 0: 'bob', length: 1 }]) {
    const headers = { 'accept-version': '~3', 'content-type': 'application/json' };
    const path = `/images/${uuid}/acl`;
    const answer = await send(server.url, { method: 'POST', path, headers, body: JSON.stringify(body) });
    t.match(answer, { status: 422, json: { code: 'InvalidParameter', errors: [{ field: 'acl' }] } });
  }
  t.same(await aclOf(uuid), good, 'nothing of all this was taken');
  const explode = await send(server.url, { method: 'POST', path: `/images/${uuid}/acl?action=explode`, body: [BOB] });
  t.match(explode, { status: 422, json: { errors: [{ field: 'action', code: 'Invalid' }] } });
});

t.test('a list has at most a thousand entries', async (t) => {
  const uuid = await make();
  const uuids = Array.from({ length: 998 }, () => randomUUID() as string);
  await alice.addImageAcl(uuid, uuids);
  t.equal((await alice.addImageAcl(uuid, ['bob', 'carol'])).acl?.length, 1000);
  t.match(await refusal(alice.addImageAcl(uuid, ['one-more'])), { status: 422, fields: ['acl'], message: /1000/ });
  t.match(await refusal(alice.addImageAcl(uuid, [randomUUID()])), { status: 422, fields: ['acl'] });
  t.equal(
    (await alice.addImageAcl(uuid, ['bob', uuids[0] ?? ''])).acl?.length,
    1000,
    'those that are there are none more',
  );
  t.match(await refusal(aliceV2.addImageAcl(uuid, [randomUUID()])), { status: 422, fields: ['acl'] });
  t.match(await refusal(alice.updateImage(uuid, { acl: [...uuids, ...uuids, 'dave'] })), { fields: ['acl'] });
  t.equal((await alice.removeImageAcl(uuid, uuids))?.acl?.length, 2);
  t.equal((await alice.addImageAcl(uuid, ['one-more'])).acl?.length, 3);
});

t.test('of twenty who share at once, none is lost', async (t) => {
  const uuid = await make();
  const entries = Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? randomUUID() : `login-${n}`));
  const answers = await Promise.all(entries.map((entry) => alice.addImageAcl(uuid, [entry])));
  for (const [n, { acl }] of answers.entries()) t.ok(acl?.includes(entries[n] ?? ''));
  t.same(new Set(await aclOf(uuid)), new Set(entries));
  await Promise.all([
    ...entries.slice(0, 10).map((entry) => alice.removeImageAcl(uuid, [entry])),
    ...['bob', 'carol'].map((entry) => alice.addImageAcl(uuid, [entry])),
  ]);
  t.same(new Set(await aclOf(uuid)), new Set([...entries.slice(10), 'bob', 'carol']));
});

t.test('clients before version 3', async (t) => {
  await t.test('see the UUIDs alone', async (t) => {
    const uuid = await make({ acl: ['bob', CAROL, 'nobody'] });
    t.same((await aliceV2.getImage(uuid)).acl, [CAROL]);
    t.same((await server.client({ version: '~1' }).getImage(uuid)).acl, [CAROL]);
    await alice.removeImageAcl(uuid, [CAROL]);
    t.same((await aliceV2.getImage(uuid)).acl, undefined);
  });

  await t.test('name UUIDs alone', async (t) => {
    const uuid = await make();
    for (const version of ['~1', '~2', '*', '1.0.0'] as const) {
      const client = server.client({ version: version as '~2', account: ALICE });
      t.match(await refusal(client.addImageAcl(uuid, ['bob'])), {
        status: 422,
        code: 'InvalidParameter',
        fields: ['acl'],
      });
      t.match(await refusal(client.removeImageAcl(uuid, ['bob'])), { status: 422, fields: ['acl'] });
      t.match(await refusal(client.updateImage(uuid, { acl: ['bob'] })), { status: 422, fields: ['acl'] });
    }
  });

  await t.test('never lose a login when they read, change and write', async (t) => {
    const uuid = await make({ acl: ['bob', CAROL, 'nobody'] });
    const { acl = [] } = await aliceV2.getImage(uuid);
    t.same((await aliceV2.updateImage(uuid, { acl: [...acl, STRANGER] })).acl, [CAROL, STRANGER]);
    t.same(await aclOf(uuid), ['bob', CAROL, 'nobody', STRANGER]);
    await aliceV2.updateImage(uuid, { acl: [STRANGER] });
    t.same(await aclOf(uuid), ['bob', STRANGER, 'nobody']);
    await aliceV2.updateImage(uuid, { acl: [] });
    t.same(await aclOf(uuid), ['bob', 'nobody']);
    await aliceV2.updateImage(uuid, { acl: null });
    t.same(await aclOf(uuid), ['bob', 'nobody']);
    t.ok(await sees(bob, uuid));
    await aliceV2.addImageAcl(uuid, [CAROL]);
    t.same(await aclOf(uuid), ['bob', 'nobody', CAROL]);
    await aliceV2.removeImageAcl(uuid, [CAROL, BOB]);
    t.same(await aclOf(uuid), ['bob', 'nobody']);
  });
});

t.test('shares are written in every state and on public images', async (t) => {
  const uuid = await make({ public: true }, false);
  t.same((await alice.addImageAcl(uuid, ['bob'])).acl, ['bob']);
  await operator.activateImage(uuid);
  t.same((await alice.addImageAcl(uuid, [CAROL])).acl, ['bob', CAROL]);
  await operator.disableImage(uuid);
  t.same((await alice.removeImageAcl(uuid, ['bob']))?.acl, [CAROL]);
});

t.test('the owner and operators share, others may not', async (t) => {
  const hidden = await make();
  const shared = await make({ acl: ['bob'] });
  const open = await make({ public: true });
  t.match(await refusal(bob.addImageAcl(hidden, [BOB])), { status: 404, code: 'ResourceNotFound' });
  t.match(await refusal(bob.removeImageAcl(hidden, [BOB])), { status: 404 });
  t.match(await refusal(bob.addImageAcl(shared, [STRANGER])), { status: 422, code: 'NotImageOwner' });
  t.match(await refusal(bob.addImageAcl(open, [BOB])), { status: 422, code: 'NotImageOwner' });
  t.match(await refusal(bob.removeImageAcl(open, [BOB])), { status: 422, code: 'NotImageOwner' });
  t.match(await refusal(bob.updateImage(shared, { acl: [] })), { status: 422, code: 'NotImageOwner' });
  t.same((await operator.addImageAcl(hidden, ['bob'])).acl, ['bob']);
});

t.test('somebody with whom an image is shared', async (t) => {
  const leave = (uuid: string, entries: readonly unknown[], account = CAROL) =>
    send(server.url, {
      method: 'POST',
      path: `/images/${uuid}/acl?action=remove&account=${account}`,
      headers: { 'accept-version': '~3' },
      body: entries,
    });

  for (const named of [[CAROL], ['carol'], ['carol', CAROL]]) {
    await t.test(`leaves by naming ${named.join(' and ')}, and stays out until shared with again`, async (t) => {
      const uuid = await make({ acl: ['bob', 'carol', CAROL] });
      t.match(await leave(uuid, named), { status: 204 });
      t.notOk(await sees(carol, uuid));
      t.ok(await sees(bob, uuid));
      t.same(await aclOf(uuid), ['bob', 'carol'], 'the owner’s words stay, the UUID is gone');
      t.match(await leave(uuid, named), { status: 404 });
      t.same((await alice.getImage(uuid)).left_by, ['carol', CAROL], 'and its owner is told');
      t.equal((await bob.getImage(uuid)).left_by, undefined, 'nobody else is');
      t.notOk('left_by' in (await aliceV2.getImage(uuid)), 'nor older clients');
      await alice.updateImage(uuid, { acl: ['carol', 'bob'], description: 'x' });
      t.notOk(await sees(carol, uuid), 'an update that keeps the entry does not bring the account back');
      await aliceV2.addImageAcl(uuid, [STRANGER]);
      t.notOk(await sees(carol, uuid));
      await alice.addImageAcl(uuid, ['carol']);
      t.same((await carol.getImage(uuid)).shared_as, ['carol']);
      t.same((await alice.getImage(uuid)).left_by, [CAROL]);
      await alice.removeImageAcl(uuid, [CAROL]);
      t.equal((await alice.getImage(uuid)).left_by, undefined, 'a mark goes when the entry is removed by name');
    });
  }

  await t.test('is back when its UUID is added', async (t) => {
    const uuid = await make({ acl: ['carol'] });
    await leave(uuid, [CAROL]);
    await aliceV2.addImageAcl(uuid, [CAROL]);
    t.same((await carol.getImage(uuid)).shared_as, ['carol', CAROL]);
  });

  await t.test('removes nobody but itself', async (t) => {
    const uuid = await make({ acl: ['bob', 'carol', STRANGER] });
    for (const named of [['bob'], [BOB], ['carol', 'bob'], [STRANGER], ['nobody'], []]) {
      t.match(await leave(uuid, named), { status: 422, json: { code: 'NotImageOwner' } }, `${named}`);
    }
    t.same(await aclOf(uuid), ['bob', 'carol', STRANGER]);
    t.ok(await sees(carol, uuid));
  });

  await t.test('leaves while the owner shares: neither is lost', async (t) => {
    const uuid = await make({ acl: ['carol', BOB] });
    const [left] = await Promise.all([
      leave(uuid, [CAROL]),
      alice.addImageAcl(uuid, [STRANGER]),
      alice.removeImageAcl(uuid, [BOB]),
    ]);
    t.equal(left.status, 204);
    t.same(await aclOf(uuid), ['carol', STRANGER]);
    t.notOk(await sees(carol, uuid));
  });
});

t.test('a change of owner keeps the shares', async (t) => {
  const uuid = await make({ acl: ['carol', BOB] });
  await operator.updateImage(uuid, { owner: BOB });
  t.same((await bob.getImage(uuid)).acl, ['carol', BOB]);
  t.ok(await sees(carol, uuid));
  t.notOk(await sees(alice, uuid));
});

for (const mode of ['public', 'private'] as const) {
  t.test(`in ${mode} mode there are no logins`, async (t) => {
    const other = await startInProcess(t, { mode, authType: 'none' });
    const client = other.client();
    const image = await client.createImage({ ...MANIFEST, owner: ALICE, public: mode === 'public' });
    t.match(await refusal(client.addImageAcl(image.uuid, ['bob'])), {
      status: 422,
      code: 'InvalidParameter',
      fields: ['acl'],
    });
    t.match(await refusal(client.updateImage(image.uuid, { acl: ['bob'] })), { status: 422, fields: ['acl'] });
    t.same((await client.addImageAcl(image.uuid, [BOB])).acl, [BOB]);
  });
}
