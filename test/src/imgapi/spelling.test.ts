/** Parameters that decide who asks or what is done are never taken for absent, however they are written. */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { ALICE, BOB } from '../../helpers/accounts.ts';
import { asker as cloudapiAsker, cloudapiInProcess, makePeople } from '../../helpers/cloudapi.ts';
import { makeImage } from '../../helpers/images.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { asker } from './fixtures/ask.ts';

const server = await startInProcess(t);
const ask = asker(t, server.url);
const { image } = await makeImage(server.client({ account: ALICE }));
const token = (await readFile(join(server.dataDir, 'keys/operator.token'), 'utf8')).trim();
const authorization = `Bearer ${token}`;
const people = makePeople();
const cloudapi = await cloudapiInProcess(t, { people: Object.values(people), imgapi: server.url });

const ACCOUNT = [
  `account[]=${BOB}`,
  `account%5B%5D=${BOB}`,
  `account[0]=${BOB}`,
  `account[uuid]=${BOB}`,
  `account.uuid=${BOB}`,
  `Account=${BOB}`,
  `ACCOUNT=${BOB}`,
  `Account[]=${BOB}`,
  `%61ccount[]=${BOB}`,
  `%2561ccount=${BOB}`,
  `+account=${BOB}`,
  `account%00=${BOB}`,
  `account%0a=${BOB}`,
  `account=${BOB}&account=${BOB}`,
  `account=${BOB}&account=${ALICE}`,
  `a=b;account=${BOB}`,
  `a=b;Account[]=${BOB}`,
  `a=b&amp;account=${BOB}`,
  `a;Account=${BOB}`,
  `a,account=${BOB}`,
  `?account=${BOB}`,
  `a=b?account=${BOB}`,
  `a=b?account[]=${BOB}`,
  `%26account=${BOB}`,
  `account:=${BOB}`,
  `account;=${BOB}`,
  `account-=${BOB}`,
  `account%3D${BOB}`,
  `account%3D=${BOB}`,
  `[account]=${BOB}`,
  `"account"=${BOB}`,
  `'account'=${BOB}`,
  `{"account":"${BOB}"}`,
  'account[]=',
  'account=',
  'account',
];

for (const query of ACCOUNT) {
  t.test(`${query} is not the operator`, async (t) => {
    for (const [method, path] of [
      ['GET', '/images?'],
      ['GET', `/images/${image.uuid}?`],
      ['GET', `/images/${image.uuid}/file?`],
      ['GET', `/images/${image.uuid}/jobs?`],
      ['DELETE', `/images/${image.uuid}?`],
      ['POST', `/images/${image.uuid}?action=disable&`],
      ['POST', `/images/${randomUUID()}?action=import&`],
    ] as const) {
      const answer = await ask(`${path}${query}`, { method });
      t.match(answer, { status: /422|403/, json: { code: /InvalidParameter|OperatorOnly/ } }, `${method} ${path}`);
      t.notMatch(answer.text, image.name);
    }
    t.match(await server.client().getImage(image.uuid), { state: 'active' });
  });
}

t.test('what is to be done is not done in another way because of its spelling', async (t) => {
  for (const [method, path, field] of [
    ['POST', '/admin/reap?dry_run[]=true', 'dry_run'],
    ['POST', '/admin/reap?Dry_Run=true', 'dry_run'],
    ['POST', '/admin/reap?dry_run=true&dry_run=true', 'dry_run'],
    ['POST', '/admin/verify?uuid[]=x', 'uuid'],
    ['POST', '/datacenters/rotate-key?DROP=true', 'drop'],
    ['DELETE', `/images/${image.uuid}?force_all_channels[]=false`, 'force_all_channels'],
    ['DELETE', `/images/${image.uuid}?Channel=dev`, 'channel'],
    ['POST', '/images?Action=import-docker-image', 'action'],
    ['POST', `/images/${image.uuid}?action=copy-from-dc&account=${ALICE}&Dry_run=true`, 'dry_run'],
    ['GET', `/images/${image.uuid}/copy?Plan=true`, 'plan'],
    ['PUT', `/images/${image.uuid}/file?Source=http://x`, 'source'],
    ['PUT', `/images/${image.uuid}/file?compression=none&SHA1=0`, 'sha1'],
    ['GET', '/images?Owner=x', 'owner'],
    ['GET', '/images?owner:=x', 'owner'],
    ['GET', '/images??owner=x', 'owner'],
    ['DELETE', `/images/${image.uuid}?"channel"=dev`, 'channel'],
    ['GET', '/images?billing_tag[]=x', 'billing_tag'],
    ['GET', '/images?incladminfields=true', 'inclAdminFields'],
  ] as const) {
    const answer = await ask(path, { method, headers: { authorization, 'accept-version': '~3' } });
    t.match(answer, { status: 422, json: { code: 'InvalidParameter', errors: [{ field }] } }, path);
  }
  t.match(await server.client().getImage(image.uuid), { state: 'active' });
});

t.test('CloudAPI takes no other spelling either', async (t) => {
  const asks = cloudapiAsker(t, cloudapi.url);
  for (const [method, path] of [
    ['POST', `/my/images/${image.uuid}?Action=update`],
    ['POST', `/my/images/${image.uuid}?action[]=update`],
    ['GET', '/my/images?State=all'],
    ['POST', `/my/images?action=copy-from-dc&datacenter=x&id=${image.uuid}&Dry_Run=true`],
  ] as const) {
    t.match(await asks(path, { method, as: people.alice }), { status: 422, json: { code: 'InvalidParameter' } }, path);
  }
});

t.test('what means nothing is ignored, as ever', async (t) => {
  for (const query of [
    'colour=red',
    'colour[]=red',
    'tag.account=x',
    'tag[account]=x',
    'tag.Account[]=x',
    '=',
    '&',
    'x=a;b=c',
    `tag.url=${encodeURIComponent('http://x/?account=y&account=z')}`,
    'accounts=x',
    'account_uuid=x',
    'my-account=x',
  ]) {
    t.equal((await ask(`/images?${query}`)).status, 200, query);
  }
});
