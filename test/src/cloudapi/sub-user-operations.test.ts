/**
 * What a sub-user may do, for every operation: what its account may, if a role that it has taken allows the action and is
 * tagged on the resource; nothing else.
 */
import { randomUUID } from 'node:crypto';
import t from 'tap';
import { ALICE } from '../../helpers/accounts.ts';
import {
  asker,
  cloudapiInProcess,
  makeKey,
  makePeople,
  type Person,
  type SubPerson,
  subUserOf,
} from '../../helpers/cloudapi.ts';
import { makeImage } from '../../helpers/images.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { type KnownOperation, knownOperations, signedOperations } from './fixtures/known-operations.ts';

interface TestRole {
  readonly uuid: string;
  readonly name: string;
}

const people = makePeople();
const deploy: SubPerson = { uuid: randomUUID(), login: 'deploy', keys: { ci: makeKey('ed25519') } };
const bobsDeploy: SubPerson = { uuid: randomUUID(), login: 'deploy', keys: { ci: makeKey('ed25519') } };

const ACTIONS = signedOperations().map((name) => name.toLowerCase());
const inEnglish = (names: readonly string[]): string => `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;

/** What else a policy may call an action: Triton's CloudAPI had one name for each route. */
const OLDER_NAMES: Readonly<Record<string, string>> = {
  ...{ shareimage: 'updateimage', unshareimage: 'updateimage', cloneimage: 'updateimage', exportimage: 'updateimage' },
  ...{ undeleteimage: 'updateimage', acceptimage: 'updateimage', activateimage: 'updateimage' },
  ...{ copyimagefromdc: 'createimagefrommachine', importimagefromdatacenter: 'createimagefrommachine' },
  createimagefromfile: 'createimagefrommachine',
};
const isAllowedBy = (action: string, other: string): boolean => other === action || other === OLDER_NAMES[action];

/** For each action a policy of that alone, and one of all others; and a role for each policy. */
const policies = [...ACTIONS, 'setroletags'].flatMap((action) => [
  { name: `can-${action}`, rules: [`CAN ${action}`] },
  { name: `cannot-${action}`, rules: [`CAN ${inEnglish(ACTIONS.filter((other) => !isAllowedBy(action, other)))}`] },
]);
const roleOf = (name: string) => ({ uuid: randomUUID(), name, policies: [name] });
const roles = policies.map(({ name }) => ({ ...roleOf(name), members: ['deploy'] }));
const foreign = { ...roleOf('foreign'), policies: policies.map(({ name }) => name) };

const alice: Person = { ...people.alice, users: [deploy], roles: [...roles, foreign], policies };
const bobsRoles = roles.map((role) => ({ ...role, uuid: randomUUID() }));
const bob: Person = { ...people.bob, users: [bobsDeploy], roles: bobsRoles, policies };

const server = await startInProcess(t);
const operator = server.client();
const cloudapi = await cloudapiInProcess(t, {
  people: [alice, bob, people.admin, people.carol],
  imgapi: server.url,
  keys: { datacenters: { 'test-1': 'http://here.example.com' }, uploads: true },
});
const ask = asker(t, cloudapi.url);
const { image } = await makeImage(server.client({ account: ALICE }));
const KNOWN = knownOperations(image.uuid);

const named = (name: string): TestRole => {
  const found = [...roles, foreign].find((role) => role.name === name);
  if (!found) throw new Error(`no role ${name}`);
  return found;
};

/** The resource of a request, without the account. */
function resourceOf({ path }: KnownOperation): string {
  const [, kind, id] = (path.split('?')[0] ?? '').split('/');
  return `/${[kind, kind === 'images' ? id : undefined].filter((part) => part !== undefined).join('/')}`;
}

/** Tags these roles on the resource of a request and on no other. */
async function tagOnly(known: KnownOperation, ...tags: readonly TestRole[]): Promise<void> {
  for (const resource of new Set(KNOWN.map(resourceOf))) {
    const here = resource === resourceOf(known) ? tags : [];
    await operator.setRoleTags(ALICE, { roles: here.map(({ uuid }) => uuid) }, { resource });
  }
}

type Asking = (known: KnownOperation, roleNames?: string) => Promise<{ status: number; json: { message?: string } }>;

const as =
  (credentials: ReturnType<typeof subUserOf> | { as: Person }): Asking =>
  ({ method, path, json }, roleNames) => {
    const [plain, query] = path.split('?');
    const asked = new URLSearchParams(query);
    if (roleNames !== undefined) asked.set('as-role', roleNames);
    const search = asked.size > 0 ? `?${asked}` : '';
    return ask(`/alice${plain}${search}`, { method, json, ...credentials });
  };

const asAlice = as({ as: alice });
const asDeploy = as(subUserOf(alice, deploy));
const asBobsDeploy = as(subUserOf(bob, bobsDeploy));

const REFUSED = { status: 403, json: { code: 'NotAuthorized' } };
/** What HEAD is answered has no body. */
const refusal = ({ method }: KnownOperation): object => (method === 'HEAD' ? { status: 403 } : REFUSED);

t.test('every operation is in the table', async (t) => {
  t.same([...new Set(KNOWN.map(({ name }) => name))].toSorted(), signedOperations());
});

for (const known of KNOWN) {
  const { name, method, path, allowed } = known;
  const action = name.toLowerCase();
  const can = named(`can-${action}`);
  const cannot = named(`cannot-${action}`);
  t.test(`${name}: ${method} ${path}`, async (t) => {
    await tagOnly(known);
    t.equal((await asAlice(known)).status, allowed, 'the account itself');
    await tagOnly(known, can);
    t.equal((await asDeploy(known, can.name)).status, allowed, 'policy and tag');
    await tagOnly(known, can);
    t.equal((await asDeploy(known, '*')).status, allowed, 'the same among all its roles');

    const others = ACTIONS.filter((other) => !isAllowedBy(action, other));
    await tagOnly(known, ...others.map((other) => named(`can-${other}`)));
    const untagged = await asDeploy(known, can.name);
    t.match(untagged, refusal(known), 'policy without tag');
    if (method !== 'HEAD') t.match(untagged.json.message, `/alice${resourceOf(known).replace(/^\/$/, '')} (${action})`);
    t.match(await asDeploy(known, '*'), refusal(known), 'the tags of roles with other policies');

    await tagOnly(known, cannot);
    t.match(await asDeploy(known, cannot.name), refusal(known), 'tag without policy');
    await tagOnly(known, ...KNOWN.map((other) => named(`can-${other.name.toLowerCase()}`)), foreign);
    t.match(await asDeploy(known), refusal(known), 'no role that it has by default');
    t.match(await asDeploy(known, foreign.name), refusal(known), 'a role that it does not have');
    t.match(await asDeploy(known, `${can.name},${foreign.name}`), refusal(known), 'such a role beside one of its own');
    t.match(await asDeploy(known, 'nosuch'), refusal(known), 'a role that there is not');
    for (const roleNames of [undefined, can.name, '*']) {
      t.match(await asBobsDeploy(known, roleNames), refusal(known), `a sub-user of another account as ${roleNames}`);
    }
  });
}

for (const known of KNOWN) {
  const older = known.method === 'PUT' ? 'setroletags' : OLDER_NAMES[known.name.toLowerCase()];
  if (older === undefined) continue;
  t.test(`${known.name} by the name that Triton has for it`, async (t) => {
    await tagOnly(known, named(`can-${older}`));
    t.equal((await asDeploy(known, `can-${older}`)).status, known.allowed, older);
    t.match(await asDeploy(known, 'can-listimages'), REFUSED);
  });
}
