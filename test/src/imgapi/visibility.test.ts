/**
 * Who sees what and who may change what: every caller, every state of an image, public or not, shared or not, in every
 * API version, on every route that loads an image. What is expected comes from the rule in fixtures/sharing.ts, which
 * knows nothing of the service's own.
 */
import { randomUUID } from 'node:crypto';
import { test } from 'tap';
import { startInProcess } from '../../helpers/imgapi.ts';
import { type Ask, asker, combinations, forEach } from './fixtures/ask.ts';
import { BYTES, ICON, putObject, putRecords } from './fixtures/records.ts';
import {
  CALLER_NAMES,
  CALLERS,
  CASES,
  type CallerName,
  type Case,
  type Expected,
  hasFile,
  isActivated,
  isInState,
  isPlaceholder,
  isSharee,
  mayChange,
  NOT_FOUND,
  OK,
  putCases,
  recordOf,
  sees,
  VERSIONS,
  type Version,
} from './fixtures/sharing.ts';

interface Request {
  readonly caller: CallerName;
  readonly image: Case;
  readonly version: Version;
}

interface TestedRoute extends Ask {
  /** Below `/images/:uuid`, with its query. */
  readonly path: string;
  readonly expected: (request: Request) => Expected;
}

const NEEDS_VERSION_3: Expected = { status: 422, code: 'InvalidParameter' };

function ifSeen(answer: (request: Request) => Expected): TestedRoute['expected'] {
  return (request) => (sees(request.caller, request.image) ? answer(request) : NOT_FOUND);
}

const READS: Readonly<Record<string, TestedRoute>> = {
  GetImage: { path: '', expected: ifSeen(() => OK) },
  GetImageFile: { path: '/file', expected: ifSeen(({ image }) => (hasFile(image) ? OK : NOT_FOUND)) },
  GetImageIcon: { path: '/icon', expected: ifSeen(({ image }) => (hasFile(image) ? OK : NOT_FOUND)) },
  ListImageJobs: { path: '/jobs', expected: ifSeen(() => OK) },
  GetImageAncestry: { path: '/ancestry', expected: ifSeen(({ version }) => (version === '~3' ? OK : NEEDS_VERSION_3)) },
  // Nothing was ordered, so there is nothing to observe: what the image is does not show.
  GetImageCopy: { path: '/copy', expected: ({ version }) => (version === '~3' ? NOT_FOUND : NEEDS_VERSION_3) },
};

/** Not seen: 404. Seen but not owned: 422. A placeholder: 409. */
function change(answer: (request: Request) => Expected): TestedRoute['expected'] {
  return ifSeen((request) => {
    if (!mayChange(request.caller)) return { status: 422, code: 'NotImageOwner' };
    if (request.image.state === 'copying') return { status: 409, code: 'ImageCopyInProgress' };
    if (request.image.state === 'failed copy') return { status: 409, code: 'ImageCopyFailed' };
    return answer(request);
  });
}

const SOMEBODY = randomUUID();

const WRITES: Readonly<Record<string, TestedRoute>> = {
  update: { method: 'POST', path: '?action=update', json: { name: 'renamed' }, expected: change(() => OK) },
  activate: {
    method: 'POST',
    path: '?action=activate',
    expected: change(({ image }) => {
      if (isActivated(image)) return { status: 422, code: 'ImageAlreadyActivated' };
      return hasFile(image) ? OK : { status: 422, code: 'NoActivationNoFile' };
    }),
  },
  enable: { method: 'POST', path: '?action=enable', expected: change(() => OK) },
  disable: { method: 'POST', path: '?action=disable', expected: change(() => OK) },
  export: {
    method: 'POST',
    path: '?action=export&manta_path=/alice/stor/here',
    expected: change(({ image }) => (hasFile(image) ? { status: 503, code: 'StorageUnsupported' } : NOT_FOUND)),
  },
  // Channels are off in a datacenter, so there is no such action, whoever asks for whatever.
  'channel-add': {
    method: 'POST',
    path: '?action=channel-add',
    json: { channel: 'dev' },
    expected: ifSeen(({ caller }) => ({ status: 422, code: mayChange(caller) ? 'InvalidParameter' : 'NotImageOwner' })),
  },
  'change-stor': {
    method: 'POST',
    path: '?action=change-stor&stor=local',
    expected: (request) => {
      if (request.caller !== 'operator') return { status: 403, code: 'OperatorOnly' };
      return change(({ image }) => (hasFile(image) ? OK : NOT_FOUND))(request);
    },
  },
  AddImageAcl: { method: 'POST', path: '/acl', json: [SOMEBODY], expected: change(() => OK) },
  'RemoveImageAcl of somebody': {
    method: 'POST',
    path: '/acl?action=remove',
    json: [SOMEBODY],
    expected: change(() => OK),
  },
  AddImageFile: {
    method: 'PUT',
    path: '/file?compression=none',
    body: BYTES,
    headers: { 'content-type': 'application/octet-stream' },
    expected: change(({ image }) => (isActivated(image) ? { status: 422, code: 'ImageFilesImmutable' } : OK)),
  },
  AddImageIcon: {
    method: 'PUT',
    path: '/icon',
    body: ICON,
    headers: { 'content-type': 'image/png' },
    expected: change(() => OK),
  },
  DeleteImageIcon: { method: 'DELETE', path: '/icon', expected: change(() => NOT_FOUND) },
  CloneImage: {
    method: 'POST',
    path: '/clone',
    expected: ifSeen(({ caller, image }) => {
      if (caller === 'operator') return { status: 422, code: 'InvalidParameter' };
      if (image.state === 'copying') return { status: 409, code: 'ImageCopyInProgress' };
      if (image.state === 'failed copy') return { status: 409, code: 'ImageCopyFailed' };
      if (!isActivated(image)) return { status: 422, code: 'ValidationFailed' };
      return isSharee(caller, image) ? OK : { status: 422, code: 'ImageNotShared' };
    }),
  },
  CancelImageCopy: {
    method: 'DELETE',
    path: '/copy',
    expected: ({ version }) => (version === '~3' ? NOT_FOUND : NEEDS_VERSION_3),
  },
  DeleteImage: {
    method: 'DELETE',
    path: '',
    expected: (request) =>
      (isPlaceholder(request.image) ? ifSeen(() => ({ status: 204 })) : change(() => ({ status: 204 })))(request),
  },
};

/** Like RemoveImageAcl of somebody, but the caller names itself: a sharee may leave. */
function leaving(request: Request): Expected {
  if (isSharee(request.caller, request.image) && sees(request.caller, request.image)) return { status: 204 };
  return change(() => OK)(request);
}

function accountQuery(path: string, caller: CallerName): string {
  const account = CALLERS[caller];
  if (account === undefined) return path;
  return `${path}${path.includes('?') ? '&' : '?'}account=${account}`;
}

function named({ caller, image, version }: Request, route: string): string {
  const flags = [image.public ? 'public' : 'private', image.shared ? 'shared' : 'unshared'];
  return `${route} of a ${image.state}, ${flags.join(', ')} image by ${caller} in ${version}`;
}

const REQUESTS: readonly Request[] = combinations({ caller: CALLER_NAMES, image: CASES, version: VERSIONS });

test('every caller reads exactly the images it may see, and every other is not there', async (t) => {
  const { imgapi, url } = await startInProcess(t);
  const ask = asker(t, url);
  const records = await putCases(imgapi.service, CASES);
  const wrong: string[] = [];
  for (const [name, route] of Object.entries(READS)) {
    await forEach(REQUESTS, async (request) => {
      const uuid = records.get(request.image)!.uuid;
      const path = accountQuery(`/images/${uuid}${route.path}`, request.caller);
      const answer = await ask(path, { headers: { 'accept-version': request.version } });
      const { status, code } = route.expected(request);
      const isRight = answer.status === status && (code === undefined || answer.json?.code === code);
      if (!isRight) wrong.push(`${named(request, name)}: ${answer.status} ${answer.text.slice(0, 200)}`);
    });
  }
  t.strictSame(wrong, []);
});

test('lists show every caller exactly the images it may see, by state', async (t) => {
  const { imgapi, url } = await startInProcess(t);
  const ask = asker(t, url);
  const records = new Map(CASES.map((image) => [recordOf(image), image] as const));
  await putRecords(imgapi.service, [...records.keys()]);
  const states = ['', 'active', 'disabled', 'unactivated', 'creating', 'failed', 'copying', 'all'] as const;

  const wrong: unknown[] = [];
  await forEach(combinations({ caller: CALLER_NAMES, version: VERSIONS, state: states }), async (request) => {
    const { caller, version, state } = request;
    const query = state === '' ? '' : `?state=${state}`;
    const answer = await ask(accountQuery(`/images${query}`, caller), { headers: { 'accept-version': version } });
    if (state === 'copying' && version !== '~3') {
      if (answer.status !== 422 || answer.json.code !== 'InvalidParameter') wrong.push({ request, got: answer.json });
      return;
    }
    // Of others' images a list shows none that are not usable, but the disabled ones in "all".
    const isOwnOnly = state === 'disabled' || state === 'unactivated';
    const expected = [...records].filter(
      ([, image]) =>
        sees(caller, image) && isInState(image, state || 'active', version) && (mayChange(caller) || !isOwnOnly),
    );
    const wanted = expected.map(([{ uuid }]) => uuid).sort();
    const got = (answer.json as { uuid: string }[]).map(({ uuid }) => uuid).sort();
    if (wanted.join() !== got.join()) wrong.push({ request, wanted: wanted.length, got: got.length });
  });
  t.strictSame(wrong, []);
});

for (const [name, route] of Object.entries(WRITES)) {
  test(`${name} changes what the caller owns, and refuses the rest by what the caller may know`, async (t) => {
    await checkWrites(t, name, route, () => route.json);
  });
}

test('RemoveImageAcl of oneself is how a sharee leaves, and is refused to all who see but do not own', async (t) => {
  const route: TestedRoute = { method: 'POST', path: '/acl?action=remove', expected: leaving };
  await checkWrites(t, 'leaving', route, ({ caller }) => [CALLERS[caller] ?? SOMEBODY]);
});

/** Each request has an image of its own, because those that may change theirs. */
async function checkWrites(
  t: Parameters<typeof startInProcess>[0],
  name: string,
  route: TestedRoute,
  json: (request: Request) => unknown,
): Promise<void> {
  const { imgapi, url } = await startInProcess(t);
  const ask = asker(t, url);
  const targets = REQUESTS.map((request) => ({ request, record: recordOf(request.image) }));
  await putRecords(
    imgapi.service,
    targets.map(({ record }) => record),
  );
  const wrong: string[] = [];
  await forEach(targets, async ({ request, record }) => {
    const isCloned = name === 'CloneImage' && isSharee(request.caller, request.image) && hasFile(request.image);
    if (isCloned) await putObject(imgapi.service, record.uuid, 'file0', BYTES);
    const { method = 'GET', headers, body } = route;
    const answer = await ask(accountQuery(`/images/${record.uuid}${route.path}`, request.caller), {
      method,
      headers: { ...headers, 'accept-version': request.version },
      ...(body === undefined ? { json: json(request) } : { body }),
    });
    const { status, code } = route.expected(request);
    const isRight = answer.status === status && (code === undefined || answer.json?.code === code);
    if (!isRight) wrong.push(`${named(request, name)}: ${answer.status} ${answer.text.slice(0, 200)}`);
  });
  t.strictSame(wrong, []);
}

test('an image that is hidden and one that never was get the same answer', async (t) => {
  const { imgapi, url } = await startInProcess(t);
  const ask = asker(t, url);
  const hidden = CASES.filter((image) => !sees('stranger', image)).map((image) => recordOf(image));
  await putRecords(imgapi.service, hidden);
  const routes = Object.entries({ ...READS, ...WRITES });
  const telling: string[] = [];
  await forEach(combinations({ record: hidden, route: routes }), async ({ record, route: [name, route] }) => {
    const absent = randomUUID();
    const [there, nowhere] = await Promise.all(
      [record.uuid, absent].map((uuid) =>
        ask(accountQuery(`/images/${uuid}${route.path}`, 'stranger'), {
          ...route,
          headers: { ...route.headers, 'accept-version': '~3' },
        }),
      ),
    );
    const isSame = there?.status === nowhere?.status && there?.text.replaceAll(record.uuid, absent) === nowhere?.text;
    if (!isSame) telling.push(`${name}: ${there?.text}`);
  });
  t.strictSame(telling, []);
});
