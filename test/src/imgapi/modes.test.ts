/** How public, private and datacenter servers differ. */
import { randomUUID } from 'node:crypto';
import { type Test, test } from 'tap';
import { NIL_UUID } from '#lib/text/uuid.ts';
import { ADMIN, ALICE } from '../../helpers/accounts.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { type Asker, asker, combinations } from './fixtures/ask.ts';
import { imageRecord, putRecords, STATES, type State } from './fixtures/records.ts';
import { AUTH_KEYS, signedHeaders } from './fixtures/signing.ts';

const MODES = ['dc', 'public', 'private'] as const;
type Mode = (typeof MODES)[number];

const AUTH_TYPES = ['none', 'signature'] as const;

interface Fixture {
  readonly ask: Asker;
  readonly put: (...records: Parameters<typeof putRecords>[1][number][]) => Promise<void>;
}

async function serverIn(t: Test, mode: Mode, authType: (typeof AUTH_TYPES)[number] = 'none'): Promise<Fixture> {
  const { imgapi, url } = await startInProcess(t, { mode, authType, authKeys: AUTH_KEYS });
  return { ask: asker(t, url), put: (...records) => putRecords(imgapi.service, records) };
}

const MANIFEST = { name: 'an-image', version: '1.0.0', type: 'other', os: 'other', owner: ALICE };

/** Whether `public` may have this value. */
function takes(mode: Mode, isPublic: boolean): boolean {
  return mode === 'dc' || isPublic === (mode === 'public');
}

test('a public server has public images only, a private one private ones, and a datacenter both', async (t) => {
  for (const mode of MODES) {
    const { ask } = await serverIn(t, mode);
    for (const isPublic of [true, false]) {
      const uuid = randomUUID();
      const requests = [
        await ask('/images', { method: 'POST', json: { ...MANIFEST, public: isPublic } }),
        await ask(`/images/${uuid}?action=import`, {
          method: 'POST',
          json: { ...MANIFEST, v: 2, uuid, public: isPublic },
        }),
      ];
      const good = await ask('/images', { method: 'POST', json: { ...MANIFEST, public: takes(mode, true) } });
      t.equal(good.status, 200);
      requests.push(
        await ask(`/images/${good.json.uuid}?action=update`, { method: 'POST', json: { public: isPublic } }),
      );
      for (const answer of requests) {
        t.equal(answer.status, takes(mode, isPublic) ? 200 : 422, `${mode}, public: ${isPublic}`);
        if (takes(mode, isPublic)) t.equal(answer.json.public, isPublic);
        else t.match(answer.json, { code: 'ValidationFailed', errors: [{ field: 'public', code: 'Invalid' }] });
      }
    }
  }
});

test('what is not said to be public is private, which a public server does not take', async (t) => {
  for (const mode of MODES) {
    const { ask } = await serverIn(t, mode);
    const answer = await ask('/images', { method: 'POST', json: MANIFEST });
    t.equal(answer.status, mode === 'public' ? 422 : 200, mode);
  }
});

test('only a datacenter knows accounts: there an owner has to be one', async (t) => {
  for (const mode of MODES) {
    const { ask } = await serverIn(t, mode);
    const json = { ...MANIFEST, owner: randomUUID(), public: mode === 'public' };
    const answer = await ask('/images', { method: 'POST', json });
    t.equal(answer.status, mode === 'dc' ? 422 : 200, mode);
    if (mode === 'dc') t.equal(answer.json.code, 'OwnerDoesNotExist');
    const login = await ask(`/images/${randomUUID()}?action=import`, {
      method: 'POST',
      json: { ...json, acl: ['bob'] },
    });
    t.equal(login.status, 422, 'and elsewhere nothing is shared by login');
  }
});

test('an import outside a datacenter is owned by nobody; within one nobody is the admin', async (t) => {
  for (const mode of MODES) {
    const { ask } = await serverIn(t, mode);
    for (const owner of [NIL_UUID, ALICE]) {
      const uuid = randomUUID();
      const json = { ...MANIFEST, v: 2, uuid, owner, public: mode === 'public' };
      const answer = await ask(`/images/${uuid}?action=import`, { method: 'POST', json });
      const inDatacenter = owner === NIL_UUID ? ADMIN : owner;
      t.equal(answer.json.owner, mode === 'dc' ? inDatacenter : NIL_UUID, `${mode}, ${owner}`);
    }
  }
});

test('billing tags and traits are not shown to the public', async (t) => {
  for (const mode of MODES) {
    const { ask, put } = await serverIn(t, mode);
    const record = imageRecord('active', { public: mode === 'public', billing_tags: ['xl'], traits: { ssd: true } });
    await put(record);
    for (const version of ['~1', '~2', '~3']) {
      const headers = { 'accept-version': version };
      const one = await ask(`/images/${record.uuid}`, { headers });
      const [listed] = (await ask('/images', { headers })).json;
      for (const image of [one.json, listed]) {
        t.strictSame(image.billing_tags, mode === 'public' ? undefined : ['xl'], mode);
        t.strictSame(image.traits, mode === 'public' ? undefined : { ssd: true }, mode);
      }
    }
  }
});

test('admin fields are for whoever is in the datacenter, and elsewhere for those who sign', async (t) => {
  for (const { mode, authType, signed } of combinations({ mode: MODES, authType: AUTH_TYPES, signed: [false, true] })) {
    const { ask, put } = await serverIn(t, mode, authType);
    const record = imageRecord('active', { public: mode === 'public' });
    await put(record);
    const isAllowed = mode === 'dc' || (signed && authType === 'signature');
    for (const path of ['/images', `/images/${record.uuid}`]) {
      const answer = await ask(`${path}?inclAdminFields=true`, { headers: signed ? signedHeaders() : {} });
      t.equal(answer.status, isAllowed ? 200 : 401, `${path}, ${mode}, ${authType}, signed: ${signed}`);
      if (!isAllowed) t.equal(answer.json.code, 'UnauthorizedError');
      t.equal((await ask(`${path}?inclAdminFields=false`)).status, 200);
    }
  }
});

/** What a list shows without a signature: in a datacenter everything, elsewhere what is active. */
const LISTED: Readonly<Record<string, Readonly<Record<'dc' | 'elsewhere', readonly State[]>>>> = {
  '': { dc: ['active'], elsewhere: ['active'] },
  active: { dc: ['active'], elsewhere: ['active'] },
  disabled: { dc: ['disabled'], elsewhere: [] },
  unactivated: { dc: ['unactivated', 'creating', 'failed', 'copying', 'failed copy'], elsewhere: [] },
  creating: { dc: ['creating', 'copying'], elsewhere: [] },
  failed: { dc: ['failed', 'failed copy'], elsewhere: [] },
  all: { dc: STATES.filter((state) => state !== 'tombstone'), elsewhere: ['active'] },
};

test('what lists show to those who do not sign, by mode and state', async (t) => {
  for (const mode of MODES) {
    // A datacenter that wants signatures is asked without one as well.
    for (const authType of AUTH_TYPES) {
      const { ask, put } = await serverIn(t, mode, authType);
      const records = STATES.map((state) => ({
        state,
        record: imageRecord(state, state === 'tombstone' ? {} : { public: mode === 'public' }),
      }));
      await put(...records.map(({ record }) => record));
      const stateOf = new Map(records.map(({ state, record }) => [record.uuid, state]));
      for (const [state, shown] of Object.entries(LISTED)) {
        const answer = await ask(`/images${state === '' ? '' : `?state=${state}`}`);
        const got = answer.json.map(({ uuid }: { uuid: string }) => stateOf.get(uuid));
        const wanted = shown[mode === 'dc' ? 'dc' : 'elsewhere'];
        t.strictSame(got.sort(), [...wanted].sort(), `${mode}, ${authType}, state ${state}`);
      }
    }
  }
});

test('where nobody signs, the network is the guard: by UUID every image is there', async (t) => {
  for (const mode of MODES) {
    const { ask, put } = await serverIn(t, mode, 'none');
    for (const state of STATES) {
      const record = imageRecord(state, state === 'tombstone' ? {} : { public: mode === 'public' });
      await put(record);
      t.equal((await ask(`/images/${record.uuid}`)).status, state === 'tombstone' ? 404 : 200, `${mode}, ${state}`);
    }
  }
});

test('clones are of a datacenter', async (t) => {
  for (const mode of MODES) {
    const { ask, put } = await serverIn(t, mode);
    const record = imageRecord('active', { public: mode === 'public' });
    await put(record);
    const path = `/images/${record.uuid}/clone`;
    const answer = await ask(path, { method: 'POST' });
    if (mode === 'dc') t.match(answer.json, { code: 'InvalidParameter', errors: [{ field: 'account' }] });
    else t.match({ status: answer.status, ...answer.json }, { status: 404, code: 'ResourceNotFound' });
  }
});

test('logins of owners are shown where there is a directory', async (t) => {
  for (const mode of MODES) {
    const { ask, put } = await serverIn(t, mode);
    const records = [ALICE, ADMIN, randomUUID()].map((owner) =>
      imageRecord('active', { owner, public: mode === 'public' }),
    );
    await put(...records);
    const wanted = mode === 'dc' ? ['alice', 'admin', undefined] : [undefined, undefined, undefined];
    for (const [i, { uuid }] of records.entries()) {
      const one = await ask(`/images/${uuid}`, { headers: { 'accept-version': '~3' } });
      t.equal(one.json.owner_login, wanted[i], mode);
      const list = await ask('/images', { headers: { 'accept-version': '~3' } });
      t.equal(list.json.find((image: { uuid: string }) => image.uuid === uuid).owner_login, wanted[i], mode);
    }
  }
});
