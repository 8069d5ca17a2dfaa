/** What is answered as by Triton's CloudAPI, held to what its own tests assert; and where it is answered otherwise. */
import t from 'tap';
import { ASSERTIONS } from './assertions.ts';
import { checkHeaders, checkImages, compare } from './compare.ts';
import { DIFFERENCES } from './differences.ts';
import { makeWorld, OTHER } from './world.ts';

t.test("what the tests of Triton's CloudAPI assert", async (t) => {
  const world = await makeWorld(t);
  for (const row of ASSERTIONS) {
    const answer = await world.send(row);
    compare(t, { ...row, request: `${row.from}: ${row.request}` }, answer);
    if (answer.status >= 400) continue;
    checkHeaders(t, answer, row.from);
    checkImages(t, row, answer);
  }
});

t.test('where it is answered otherwise', async (t) => {
  const world = await makeWorld(t);
  for (const row of DIFFERENCES.flatMap(({ rows }) => rows)) compare(t, row, await world.send(row));
});

t.test('the story of a clone', async (t) => {
  const { send } = await makeWorld(t);
  const version = '~9';
  const act = (action: string, json: object = {}) => ({
    request: `POST /my/images/$mine?action=${action}`,
    json,
    version,
  });
  t.equal((await send({ ...act('clone'), as: 'other' })).status, 404, 'not before it is shared');
  t.match(await send(act('update', { acl: [OTHER.uuid] })), { status: 200, json: { acl: [OTHER.uuid] } });
  const mine = (await send({ request: 'GET /my/images/$mine', version })).json;
  const { status, json: clone } = await send({ ...act('clone'), as: 'other' });
  t.equal(status, 200);
  t.not(clone.id, mine.id);
  t.notOk(clone.acl);
  const ofClone = (method: string, as: 'user' | 'other', query = '') =>
    send({ request: `${method} /my/images/${clone.id}${query}`, as, version });
  t.equal((await ofClone('POST', 'user', '?action=clone')).status, 404, 'the first owner has no access to it');
  t.equal((await ofClone('DELETE', 'user')).status, 404);
  t.equal((await ofClone('DELETE', 'other')).status, 204);
  t.match(await send({ request: 'GET /my/images/$mine', version }), { status: 200, json: { id: mine.id } });
});
