/**
 * Following references: an image that builds on another one tells its reader no more of that one than the reader's own
 * relation to it allows. Every relation there is, on every route that follows an origin; and where the image may not be
 * seen, the answer is that to an image which is not there.
 */
import { randomUUID } from 'node:crypto';
import { test } from 'tap';
import { IMAGES, type ImageRecord } from '#lib/manifest/record.ts';
import type { Service } from '#src/service/service.ts';
import { ADMIN, ALICE, BOB, CAROL } from '../../helpers/accounts.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { type Answer, type Asker, asker } from './fixtures/ask.ts';
import { BYTES, ICON, ICON_RECORD, imageRecord, PUBLISHED, putObject, putRecords } from './fixtures/records.ts';

const SECRET = { name: 'secret-name', version: '7.7.7', description: 'secret-text' };

/** What the caller is to alice's image V, by what there is beside it. */
interface Relation {
  /** Undefined: an operator. */
  readonly caller?: string;
  readonly fields?: Partial<ImageRecord>;
  /** Images between V and the ones that are tried, each built on the one before. */
  readonly above?: readonly Partial<ImageRecord>[];
  readonly sees: boolean;
}

const byLogin = (account: string) => ({
  shares: [{ entry: 'carol', account, shared_at: PUBLISHED }],
  grants: [account],
});

const RELATIONS: Readonly<Record<string, Relation>> = {
  operator: { sees: true },
  owner: { caller: ALICE, sees: true },
  'sharee by UUID': { caller: BOB, fields: { acl: [BOB] }, sees: true },
  'sharee by login': { caller: CAROL, fields: byLogin(CAROL), sees: true },
  anyone: { caller: BOB, fields: { public: true }, sees: true },
  'sharee of a disabled one': { caller: BOB, fields: { acl: [BOB], disabled: true, state: 'disabled' }, sees: true },
  'sharee of what builds on it': { caller: BOB, above: [{ acl: [BOB] }], sees: true },
  'sharee by login of what builds on it': { caller: CAROL, above: [byLogin(CAROL)], sees: true },
  'sharee of what builds on it, three images higher': { caller: BOB, above: [{}, {}, { acl: [BOB] }], sees: true },
  'sharee of what builds on it, both disabled': {
    caller: BOB,
    fields: { disabled: true, state: 'disabled' },
    above: [{ acl: [BOB], disabled: true, state: 'disabled' }],
    sees: true,
  },
  'sharee of what builds on it by way of somebody else': {
    caller: BOB,
    above: [{ owner: CAROL }, { acl: [BOB] }],
    sees: false,
  },
  'sharee of what somebody else built on it': { caller: BOB, above: [{ owner: CAROL, acl: [BOB] }], sees: false },
  'owner of what builds on it': { caller: BOB, above: [{ owner: BOB }], sees: false },
  'reader of a public image that builds on it': { caller: BOB, above: [{ public: true }], sees: false },
  'sharee that left what builds on it': {
    caller: CAROL,
    above: [{ ...byLogin(CAROL), grants: [], left: [CAROL] }],
    sees: false,
  },
  'sharee of what builds on it and was never activated': {
    caller: BOB,
    above: [{ acl: [BOB], activated: false, state: 'unactivated' }],
    sees: false,
  },
  'sharee of what builds on it, which is being deleted': {
    caller: BOB,
    above: [{ acl: [BOB], activated: false, state: 'deleting' }],
    sees: false,
  },
  'sharee of what builds on one that was never activated': {
    caller: BOB,
    fields: { activated: false, state: 'unactivated' },
    above: [{ acl: [BOB] }],
    sees: false,
  },
  'sharee of what builds on a copy that is coming': {
    caller: BOB,
    fields: { activated: false, state: 'creating', copy: { state: 'live', datacenter: 'elsewhere' } },
    above: [{ acl: [BOB] }],
    sees: false,
  },
  stranger: { caller: CAROL, fields: { acl: [BOB] }, sees: false },
  'the admin as an account': { caller: ADMIN, sees: false },
};

interface Tried {
  readonly relation: Relation;
  /** V, or another UUID that no image has. */
  readonly target: string;
}

/** What is asked, and what the answer is where V is seen. */
interface Route {
  readonly asked: (tried: Tried, ask: CallerAsk, service: Service) => Promise<Answer>;
  readonly seen: (answer: Answer, target: string) => boolean;
  /** Not for operators. */
  readonly accountsOnly?: true;
}

type CallerAsk = (path: string, more?: Parameters<Asker>[1]) => Promise<Answer>;

const MANIFEST = { name: 'built', version: '1.0.0', type: 'zone-dataset', os: 'smartos' };

/** An image of the caller's own, built on the target. */
async function ownImageOn({ relation, target }: Tried, service: Service): Promise<string> {
  const own = imageRecord('active', { owner: relation.caller ?? ADMIN, origin: target });
  await putRecords(service, [own]);
  await putObject(service, own.uuid, 'file0', BYTES);
  return own.uuid;
}

/** Somebody's image, built on the target and shared with the caller. */
async function sharedImageOn({ relation, target }: Tried, service: Service): Promise<string> {
  const shared = imageRecord('active', {
    owner: randomUUID(),
    acl: [relation.caller ?? ADMIN],
    origin: target,
    files: [...(imageRecord('active').files ?? [])],
  });
  await putRecords(service, [shared]);
  await putObject(service, shared.uuid, 'file0', BYTES);
  return shared.uuid;
}

const ok = ({ status }: Answer) => status === 200;
const has = (answer: Answer, target: string) =>
  ok(answer) && answer.json.some(({ uuid }: { uuid: string }) => uuid === target);

const ROUTES: Readonly<Record<string, Route>> = {
  GetImage: {
    asked: ({ target }, ask) => ask(`/images/${target}`),
    seen: (answer, target) => ok(answer) && answer.json.uuid === target,
  },
  'HEAD of it': { asked: ({ target }, ask) => ask(`/images/${target}`, { method: 'HEAD' }), seen: ok },
  GetImageFile: {
    asked: ({ target }, ask) => ask(`/images/${target}/file`),
    seen: (answer) => ok(answer) && answer.bytes.equals(BYTES),
  },
  GetImageIcon: { asked: ({ target }, ask) => ask(`/images/${target}/icon`), seen: ok },
  GetImageAncestry: { asked: ({ target }, ask) => ask(`/images/${target}/ancestry`), seen: has },
  GetImageUsage: { asked: ({ target }, ask) => ask(`/images/${target}/usage`), seen: ok },
  ListImageJobs: { asked: ({ target }, ask) => ask(`/images/${target}/jobs`), seen: ok },
  'a marker of a list': { asked: ({ target }, ask) => ask(`/images?marker=${target}`), seen: ok },
  'the ancestry of an own image on it': {
    asked: async (tried, ask, service) => ask(`/images/${await ownImageOn(tried, service)}/ancestry`),
    seen: has,
  },
  'the ancestry of a shared image on it': {
    asked: async (tried, ask, service) => ask(`/images/${await sharedImageOn(tried, service)}/ancestry`),
    seen: has,
  },
  CreateImage: {
    asked: ({ target, relation }, ask) =>
      ask('/images', { method: 'POST', json: { ...MANIFEST, owner: relation.caller ?? ADMIN, origin: target } }),
    seen: ok,
  },
  'CreateImage of a wrong type': {
    asked: ({ target, relation }, ask) => {
      const zvol = { type: 'zvol', nic_driver: 'virtio', disk_driver: 'virtio', cpu_type: 'host', image_size: 10 };
      const json = { ...MANIFEST, ...zvol, owner: relation.caller ?? ADMIN, origin: target };
      return ask('/images', { method: 'POST', json });
    },
    seen: ({ json }) => json.code === 'ValidationFailed' && json.errors[0].field === 'origin',
  },
  'CloneImage of a shared image on it': {
    asked: async (tried, ask, service) =>
      ask(`/images/${await sharedImageOn(tried, service)}/clone`, { method: 'POST' }),
    seen: ok,
    accountsOnly: true,
  },
  'an update': {
    asked: ({ target }, ask) => ask(`/images/${target}?action=update`, { method: 'POST', json: { name: 'other' } }),
    seen: ({ status, json }) => status === 200 || json.code === 'NotImageOwner',
  },
  'leaving it': {
    asked: ({ target, relation }, ask) =>
      ask(`/images/${target}/acl?action=remove`, { method: 'POST', json: [relation.caller ?? BOB] }),
    seen: ({ status, json }) => status === 200 || status === 204 || json.code === 'NotImageOwner',
  },
};

/** V with what is above it; answers V's UUID. */
async function putChain(service: Service, { fields = {}, above = [] }: Relation): Promise<string> {
  const chain = [imageRecord('active', { ...SECRET, icon: ICON_RECORD, ...fields })];
  for (const more of above) {
    chain.push(imageRecord('active', { origin: chain.at(-1)!.uuid, ...more }));
  }
  await putRecords(service, chain);
  const [{ uuid } = { uuid: '' }] = chain;
  await putObject(service, uuid, 'file0', BYTES);
  await putObject(service, uuid, 'icon', ICON);
  return uuid;
}

/** Without what differs from answer to answer. */
function comparable({ status, text, headers }: Answer, tried: string): object {
  const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
  const { date, etag, 'x-request-id': id, 'x-response-time': time, 'x-request-received': at, ...rest } = headers;
  const shown = text.replaceAll(tried, 'TRIED').replace(uuid, 'OTHER');
  return { status, text: shown, headers: { ...rest, 'content-length': '', 'content-md5': '' } };
}

for (const [name, relation] of Object.entries(RELATIONS)) {
  test(`${name} ${relation.sees ? 'sees' : 'does not see'} an image, whichever way leads to it`, async (t) => {
    const { imgapi, url } = await startInProcess(t);
    const { service } = imgapi;
    const ask = asker(t, url);
    const { caller, sees } = relation;
    const asCaller: CallerAsk = (path, more) =>
      ask(caller === undefined ? path : `${path}${path.includes('?') ? '&' : '?'}account=${caller}`, {
        ...more,
        headers: { 'accept-version': '~3' },
      });
    for (const [route, { asked, seen, accountsOnly }] of Object.entries(ROUTES)) {
      if (accountsOnly && caller === undefined) continue;
      // What the caller itself shares or builds is no part of the relation, so each route has a V of its own.
      const target = await putChain(service, relation);
      const answer = await asked({ relation, target }, asCaller, service);
      if (sees) t.ok(seen(answer, target), `${route}: ${answer.status} ${answer.text.slice(0, 300)}`);
      else {
        const absent = randomUUID();
        const nowhere = await asked({ relation, target: absent }, asCaller, service);
        t.strictSame(
          comparable(answer, target),
          comparable(nowhere, absent),
          `${route} answers as if it were not there`,
        );
        for (const secret of Object.values(SECRET)) t.notMatch(answer.text, secret, route);
      }
    }
    const target = await putChain(service, relation);
    const listed = (await asCaller('/images?state=all')).json.some(({ uuid }: { uuid: string }) => uuid === target);
    t.equal(listed, sees && !name.includes('what builds on it'), 'lists show what is open by itself alone');
  });
}

test('what a share opens closes with it, also to what is asked by conditions', async (t) => {
  const { imgapi, url } = await startInProcess(t);
  const ask = asker(t, url);
  const target = await putChain(imgapi.service, { above: [{}, {}], sees: false });
  const top = (await imgapi.service.store.find(IMAGES, {})).find(
    ({ key, value }) => key !== target && value.origin !== target,
  )!.key;
  const read = async (path = '') =>
    (await ask(`/images/${target}${path}${path.includes('?') ? '&' : '?'}account=${BOB}`)).status;
  const share = (action: string) =>
    ask(`/images/${top}/acl?action=${action}&account=${ALICE}`, { method: 'POST', json: [BOB] });
  t.equal(await read(), 404);
  await share('add');
  t.equal(await read(), 200);
  t.equal(await read('/file'), 200);
  const { headers } = await ask(`/images/${target}?account=${BOB}`);
  const etag = headers['etag'] ?? '';
  t.equal((await ask(`/images/${target}?account=${BOB}`, { headers: { 'if-none-match': etag } })).status, 304);
  await share('remove');
  t.equal(await read(), 404);
  t.equal(await read('/file'), 404);
  t.equal((await ask(`/images/${target}?account=${BOB}`, { headers: { 'if-none-match': etag } })).status, 404);
});

test('what a share opens shows nothing of whom else it is shared with', async (t) => {
  const { imgapi, url } = await startInProcess(t);
  const ask = asker(t, url);
  const target = await putChain(imgapi.service, { fields: { acl: [CAROL] }, above: [{ acl: [BOB] }], sees: true });
  const { json } = await ask(`/images/${target}?account=${BOB}`, { headers: { 'accept-version': '~3' } });
  t.equal(json.acl, undefined);
  t.equal(json.shared_as, undefined);
});

test('however much an owner builds on an image, whoever it is opened to finds it', async (t) => {
  const { imgapi, url } = await startInProcess(t);
  const ask = asker(t, url);
  const base = imageRecord('active');
  const middle = Array.from({ length: 700 }, () => imageRecord('active', { origin: base.uuid }));
  const tops = middle.map(({ uuid }) => imageRecord('active', { origin: uuid }));
  const [shared] = tops.toSorted((a, b) => (a.origin! < b.origin! ? 1 : -1));
  await putRecords(imgapi.service, [base, ...middle, ...tops]);
  const status = async () => (await ask(`/images/${base.uuid}?account=${BOB}`)).status;
  t.equal(await status(), 404);
  await putRecords(imgapi.service, [{ ...shared!, acl: [BOB] }]);
  t.equal(await status(), 200);
  await putRecords(imgapi.service, [{ ...shared!, ...byLogin(BOB) }]);
  t.equal(await status(), 200);
  await putRecords(imgapi.service, [{ ...shared!, owner: CAROL, acl: [BOB] }]);
  t.equal(await status(), 404);
});

test('a chain that turns back on itself opens what it holds and ends the search', async (t) => {
  const { imgapi, url } = await startInProcess(t);
  const ask = asker(t, url);
  const [one, two] = [randomUUID(), randomUUID()];
  await putRecords(imgapi.service, [
    imageRecord('active', { uuid: one, origin: two }),
    imageRecord('active', { uuid: two, origin: one }),
  ]);
  t.equal((await ask(`/images/${one}?account=${BOB}`)).status, 404);
});
