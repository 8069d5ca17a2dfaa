/** However much is wrong with a body of a megabyte, the answer is one that can be read. */

import t from 'tap';
import { request } from 'undici';
import { ALICE } from '../../helpers/accounts.ts';
import { asker, cloudapiInProcess, makePeople } from '../../helpers/cloudapi.ts';
import { MANIFEST } from '../../helpers/images.ts';
import { startInProcess } from '../../helpers/imgapi.ts';

const KIB = 1024;
const LONGEST_ANSWER = 40 * KIB;
const MOST_ERRORS = 50;

const server = await startInProcess(t);
const people = makePeople();
const cloudapi = await cloudapiInProcess(t, { people: Object.values(people), imgapi: server.url });
const ask = asker(t, cloudapi.url);
const { uuid } = await server.client({ account: ALICE }).createImage(MANIFEST);

const many = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));
const keys = (count: number, value: unknown = 0) => Object.fromEntries(many(count, (i) => [`k${i}`, value]));
const huge = 'x'.repeat(1000 * KIB);

const BAD: readonly (readonly [what: string, fields: Record<string, unknown>])[] = [
  ['a hundred thousand unknown fields', keys(90_000)],
  ['a field with a long name', { [huge]: 1 }],
  ['an endless name', { name: huge }],
  ['an owner that is no UUID by far', { owner: huge }],
  ['users', { users: many(200_000, () => 1) }],
  ['billing tags', { billing_tags: many(200_000, () => 1) }],
  ['traits', { traits: keys(90_000, 1) }],
  ['networks', { requirements: { networks: many(200_000, () => 1) } }],
  ['requirements', { requirements: keys(90_000, 1) }],
  ['platforms', { requirements: { min_platform: keys(90_000, 1) } }],
  ['directories', { type: 'zone-dataset', inherited_directories: many(200_000, () => 1) }],
  ['an ACL', { acl: many(200_000, () => 1) }],
  ['an ACL with a long entry', { acl: [huge] }],
  ['files', { files: many(200_000, () => 1) }],
  ['a type', { type: { [huge]: [huge.slice(0, 10)] } }],
];

for (const [what, fields] of BAD) {
  for (const [action, path] of [
    ['create', '/images'],
    ['update', `/images/${uuid}?action=update`],
    ['import', `/images/${uuid}?action=import`],
  ] as const) {
    t.test(`${action} with ${what} gets a short answer`, async (t) => {
      const manifest = action === 'update' ? fields : { ...MANIFEST, uuid, owner: ALICE, ...fields };
      const body = JSON.stringify(manifest);
      const answer = await request(`${server.url}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
      const text = await answer.body.text();
      t.ok(answer.statusCode < 500, text.slice(0, 200));
      t.ok(text.length < LONGEST_ANSWER, `${text.length} characters`);
      t.ok((JSON.parse(text).errors ?? []).length <= MOST_ERRORS);
    });
  }
}

t.test('CloudAPI passes no long answers on, and gives none of its own', async (t) => {
  for (const json of [
    { acl: many(200_000, () => 1) },
    { name: huge },
    { action: huge },
    { owner: huge },
    { acl: [huge], shared_with: [] },
  ]) {
    const path = `/my/images/${uuid}${'action' in json ? '' : '?action=update'}`;
    const answer = await ask(path, { method: 'POST', json, as: people.alice });
    t.ok(answer.status >= 400 && answer.status < 500, String(answer.status));
    t.ok(answer.bytes.length < LONGEST_ANSWER);
  }
});
