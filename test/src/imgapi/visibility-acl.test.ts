/** Whom an image is shared with, and who is told: bodies, tags and errors, by caller and API version. */
import { randomUUID } from 'node:crypto';
import { type Test, test } from 'tap';
import { ALICE, BOB, CAROL } from '../../helpers/accounts.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { asker, combinations, forEach } from './fixtures/ask.ts';
import { hashOf, putRecords } from './fixtures/records.ts';
import { CALLER_NAMES, CALLERS, type CallerName, DAVE, recordOf, VERSIONS, type Version } from './fixtures/sharing.ts';

const AS_TYPED = ['carol', BOB, 'dave', 'nobody'];

/** What `acl` and `shared_as` are to be; undefined: not there. */
function expectedAcl(caller: CallerName, version: Version): { acl?: unknown; shared_as?: unknown } {
  const isVersion3 = version === '~3';
  switch (caller) {
    case 'operator':
    case 'owner':
      return { acl: isVersion3 ? AS_TYPED : [BOB] };
    case 'sharee by uuid':
      return isVersion3 ? { acl: [BOB], shared_as: [BOB] } : { acl: [BOB] };
    case 'sharee by login':
      return isVersion3 ? { acl: [CAROL], shared_as: ['carol'] } : { acl: [CAROL] };
    default:
      return {};
  }
}

function query(caller: CallerName): string {
  const account = CALLERS[caller];
  return account === undefined ? '' : `account=${account}`;
}

function aclOf(image: Readonly<Record<string, unknown>>): object {
  const { acl, shared_as } = image;
  return { ...(acl === undefined ? {} : { acl }), ...(shared_as === undefined ? {} : { shared_as }) };
}

/** A server with a public image that is shared with accounts by UUID and by login. */
async function sharedImage(t: Test) {
  const { imgapi, url } = await startInProcess(t);
  const { service } = imgapi;
  const record = recordOf({ state: 'active', public: true, shared: true });
  await putRecords(service, [record]);
  return { service, ask: asker(t, url), record };
}

const MATRIX = combinations({ caller: CALLER_NAMES, version: VERSIONS });

test('owner and operators see the whole list, a sharee itself, and others nothing, in images and in lists', async (t) => {
  const { ask, record } = await sharedImage(t);
  for (const { caller, version } of MATRIX) {
    const headers = { 'accept-version': version };
    const expected = expectedAcl(caller, version);
    const got = await ask(`/images/${record.uuid}?${query(caller)}`, { headers });
    t.strictSame(aclOf(got.json), expected, `${caller} in ${version}`);
    const list = await ask(`/images?${query(caller)}`, { headers });
    t.strictSame(list.json.map(aclOf), [expected], `${caller} in a list in ${version}`);
  }
});

test('the accounts behind logins are told to nobody, and who left only to those who see the list', async (t) => {
  const { ask, record } = await sharedImage(t);
  const paths = ['', '/ancestry', '/jobs', '/file', '/icon', '/copy', '?inclAdminFields=true'];
  await forEach(combinations({ caller: CALLER_NAMES, version: VERSIONS, path: paths }), async (request) => {
    const { caller, version, path } = request;
    const joint = path.includes('?') ? '&' : '?';
    const { text } = await ask(`/images/${record.uuid}${path}${joint}${query(caller)}`, {
      headers: { 'accept-version': version },
    });
    // Who may see the whole list is told which entries on it were left, by the names that are on it.
    const isTold = version === '~3' && (caller === 'operator' || caller === 'owner');
    if (isTold && text.includes('left_by')) t.same(JSON.parse(text).left_by ?? JSON.parse(text)[0].left_by, ['dave']);
    for (const secret of ['grants', ...(isTold ? [] : ['left']), 'rev', '"shares"', 'shared_at', DAVE]) {
      t.notMatch(text, secret, `${path} to ${caller} in ${version}`);
    }
    if (caller !== 'sharee by login') t.notMatch(text, CAROL, `${path} to ${caller} in ${version}`);
  });
});

test('what a stranger is refused names nobody the image is shared with', async (t) => {
  const { ask, record, service } = await sharedImage(t);
  const requests = [
    { path: '/acl', method: 'POST', json: [BOB] },
    { path: '/acl?action=remove', method: 'POST', json: [BOB] },
    { path: '/acl?action=remove', method: 'POST', json: ['carol'] },
    { path: '?action=update', method: 'POST', json: { acl: [] } },
    { path: '', method: 'DELETE' },
  ];
  for (const { caller, version } of MATRIX) {
    if (caller === 'operator' || caller === 'owner') continue;
    for (const { path, ...request } of requests) {
      const joint = path.includes('?') ? '&' : '?';
      const answer = await ask(`/images/${record.uuid}${path}${joint}${query(caller)}`, {
        ...request,
        headers: { 'accept-version': version },
      });
      const isOwnEntry = answer.status === 204;
      t.ok(isOwnEntry || answer.status === 422, `${path} by ${caller} in ${version}: ${answer.status}`);
      const others = [BOB, CAROL, DAVE, 'nobody'].filter((name) => name !== CALLERS[caller]);
      for (const other of others) t.notMatch(answer.text, other, `${path} by ${caller} in ${version}`);
      if (isOwnEntry) await putRecords(service, [record]);
    }
  }
});

test('the tag is the SHA-1 of the compact JSON that the caller sees, without the login of the owner', async (t) => {
  const { ask, record } = await sharedImage(t);
  for (const { caller, version } of MATRIX) {
    const answer = await ask(`/images/${record.uuid}?${query(caller)}`, { headers: { 'accept-version': version } });
    const { owner_login: login, ...tagged } = answer.json;
    t.equal(login, version === '~3' ? 'alice' : undefined);
    t.equal(answer.headers['etag'], hashOf('sha1', JSON.stringify(tagged), 'hex'), `${caller} in ${version}`);
    t.equal(answer.text, JSON.stringify(answer.json, null, 2), 'indented by two');
  }
});

test('the tag is stable, one for each view, and the same for those who see the same', async (t) => {
  const { ask, record } = await sharedImage(t);
  const tagOf = async (caller: CallerName, version: Version): Promise<string> => {
    const answer = await ask(`/images/${record.uuid}?${query(caller)}`, { headers: { 'accept-version': version } });
    t.equal(answer.headers['vary'], 'Accept-Version');
    return answer.headers['etag'] ?? 'none';
  };
  for (const version of VERSIONS) {
    const tags = new Map<CallerName, string>();
    for (const caller of CALLER_NAMES) tags.set(caller, await tagOf(caller, version));
    for (const caller of CALLER_NAMES) t.equal(await tagOf(caller, version), tags.get(caller), 'stable');
    t.equal(tags.get('operator'), tags.get('owner'));
    t.equal(tags.get('stranger'), tags.get('sharee that left'));
    // Before version 3 the owner sees [bob], and so does Bob.
    const views = version === '~3' ? 4 : 3;
    t.equal(new Set(tags.values()).size, views, `views in ${version}`);
  }
  for (const caller of CALLER_NAMES) {
    t.not(await tagOf(caller, '~3'), await tagOf(caller, '~2'), `${caller} has another tag in version 3`);
    t.equal(await tagOf(caller, '*'), await tagOf(caller, '~2'), '* is the 2.0.0 view');
  }
});

test('a login that comes to be bound to an account changes no tag that anybody else sees', async (t) => {
  const { imgapi, url } = await startInProcess(t);
  const ask = asker(t, url);
  const record = recordOf({ state: 'active', public: true, shared: true });
  const late = randomUUID();
  const bound = {
    ...record,
    shares: record.shares?.map((share) => (share.entry === 'nobody' ? { ...share, account: late } : share)) ?? [],
    grants: [CAROL, late],
    rev: 2,
  };
  const tags = async (): Promise<unknown[]> => {
    const found: unknown[] = [];
    for (const { caller, version } of MATRIX) {
      const answer = await ask(`/images/${record.uuid}?${query(caller)}`, { headers: { 'accept-version': version } });
      found.push([caller, version, answer.headers['etag']]);
    }
    return found;
  };
  await putRecords(imgapi.service, [record]);
  const before = await tags();
  await putRecords(imgapi.service, [bound]);
  t.strictSame(await tags(), before);
});

test('a share by a login that nobody holds is answered like any other', async (t) => {
  const { imgapi, url } = await startInProcess(t);
  const ask = asker(t, url);
  const images = ['carol', 'mallory'].map((login) => ({
    login,
    record: recordOf({ state: 'active', public: false, shared: false }),
  }));
  await putRecords(
    imgapi.service,
    images.map(({ record }) => record),
  );
  const answers: string[] = [];
  for (const { login, record } of images) {
    const answer = await ask(`/images/${record.uuid}/acl?account=${ALICE}`, {
      method: 'POST',
      json: [login],
      headers: { 'accept-version': '~3' },
    });
    t.strictSame(answer.json.acl, [login]);
    const {
      date,
      etag,
      'x-request-id': id,
      'x-response-time': time,
      'content-length': length,
      ...rest
    } = answer.headers;
    const shape = { status: answer.status, rest, body: Object.keys(answer.json) };
    answers.push(JSON.stringify(shape));
  }
  t.equal(answers[0], answers[1]);
});
