/** Accounts that the cloud lets work in some of its datacenters alone. */
import t from 'tap';
import { asker, cloudapiInProcess, makePeople } from '../../helpers/cloudapi.ts';
import { startInProcess } from '../../helpers/imgapi.ts';

const { alice, bob, carol, admin } = makePeople();
const people = [{ ...alice, allowed_dcs: ['test-1', 'test-2'] }, { ...bob, allowed_dcs: ['test-2'] }, carol, admin];
const server = await startInProcess(t);
const FORBIDDEN = { status: 403, json: { code: 'NotAuthorized', message: /^Forbidden/ } };

t.test('where accounts are limited, those work that the datacenter is named for', async (t) => {
  const keys = { accountAllowedDcs: true };
  const ask = asker(t, (await cloudapiInProcess(t, { people, imgapi: server.url, keys })).url);
  t.equal((await ask('/my/images', { as: alice })).status, 200);
  for (const as of [bob, carol]) t.match(await ask('/my/images', { as }), FORBIDDEN, as.login);
  t.match(await ask('/bob/images', { as: admin }), FORBIDDEN, 'nor does the admin act for them');
  t.equal((await ask('/alice/images', { as: admin })).status, 200);
  t.equal((await ask('/--ping')).status, 200);
});

t.test('elsewhere all work', async (t) => {
  const ask = asker(t, (await cloudapiInProcess(t, { people, imgapi: server.url })).url);
  for (const as of [alice, bob, carol]) t.equal((await ask('/my/images', { as })).status, 200, as.login);
});
