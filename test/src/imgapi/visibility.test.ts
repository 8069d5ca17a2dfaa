/**
 * Who sees what and who may change what: every caller, every state of an image, public or not, shared or not, in every
 * API version, for every operation on an image. What is expected comes from the table in fixtures/image-operations.ts,
 * which knows nothing of the service's own rules.
 */
import { randomUUID } from 'node:crypto';
import { test } from 'tap';
import { COMMON_ERRORS } from '#lib/api/imgapi/form.ts';
import { IMGAPI } from '#lib/api/imgapi/operations.ts';
import type { CallerKind, Operation } from '#lib/api/operation.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { type Answer, type Ask, asker, combinations, forEach } from './fixtures/ask.ts';
import { LEAVING, READS, type Request, type TestedOperation, WRITES } from './fixtures/image-operations.ts';
import { BYTES, putObject, putRecords } from './fixtures/records.ts';
import {
  CALLER_NAMES,
  CALLERS,
  CASES,
  type CallerName,
  hasFile,
  isInState,
  isSharee,
  mayChange,
  putCases,
  recordOf,
  sees,
  VERSIONS,
} from './fixtures/sharing.ts';

type OperationName = keyof typeof IMGAPI;

const ROWS: Readonly<Record<OperationName, Operation>> = IMGAPI;
const TABLE = Object.entries({ ...READS, ...WRITES }) as [OperationName, TestedOperation][];
const REQUESTS: readonly Request[] = combinations({ caller: CALLER_NAMES, image: CASES, version: VERSIONS });

/** What a caller is to an image of Alice's, in the words of the rows. */
const KINDS: Readonly<Record<CallerName, CallerKind>> = {
  operator: 'operator',
  owner: 'owner',
  'sharee by uuid': 'sharee',
  'sharee by login': 'sharee',
  'sharee that left': 'stranger',
  stranger: 'stranger',
};

/** By the name of the operation: who was answered with success, and with which errors. */
const succeeded = new Map<string, Set<CallerKind>>();
const unlisted = new Set<string>();

function note(name: OperationName, { caller }: Request, { status, json }: Answer): void {
  const { errors } = ROWS[name];
  if (status < 400) succeeded.set(name, (succeeded.get(name) ?? new Set()).add(KINDS[caller]));
  else if (![...errors, ...COMMON_ERRORS].includes(json?.code)) unlisted.add(`${name}: ${json?.code}`);
}

function accountQuery(path: string, caller: CallerName): string {
  const account = CALLERS[caller];
  if (account === undefined) return path;
  return `${path}${path.includes('?') ? '&' : '?'}account=${account}`;
}

/** How the operation is asked for about this image. */
function askOf(name: OperationName, tested: TestedOperation, uuid: string, request: Request): [string, Ask] {
  const { path, method, action } = ROWS[name];
  const query = [action === undefined ? [] : `action=${action}`, tested.query ?? []].flat().join('&');
  const target = `${path.replace(':uuid', uuid)}${query === '' ? '' : `?${query}`}`;
  const { headers, body, json } = tested;
  const ask = {
    method,
    headers: { ...headers, 'accept-version': request.version },
    ...(json && { json: json(request) }),
    ...(body !== undefined && { body }),
  };
  return [accountQuery(target, request.caller), ask];
}

function complaint(name: string, tested: TestedOperation, request: Request, answer: Answer): string[] {
  const { status, code } = tested.expected(request);
  if (answer.status === status && (code === undefined || answer.json?.code === code)) return [];
  const { image, caller, version } = request;
  const flags = [image.public ? 'public' : 'private', image.shared ? 'shared' : 'unshared'];
  const what = `${name} of a ${image.state}, ${flags.join(', ')} image by ${caller} in ${version}`;
  return [`${what}: ${answer.status} ${answer.text.slice(0, 200)}`];
}

test('every operation on an image is in the table', async (t) => {
  const onImages = Object.entries(ROWS).filter(([, { path }]) => path.startsWith('/images/:uuid'));
  t.same(TABLE.map(([name]) => name).toSorted(), onImages.map(([name]) => name).toSorted());
});

test('every caller reads exactly the images it may see, and every other is not there', async (t) => {
  const { imgapi, url } = await startInProcess(t);
  const ask = asker(t, url);
  const records = await putCases(imgapi.service, CASES);
  const wrong: string[] = [];
  for (const [name, tested] of Object.entries(READS) as [keyof typeof READS, TestedOperation][]) {
    await forEach(REQUESTS, async (request) => {
      const answer = await ask(...askOf(name, tested, records.get(request.image)!.uuid, request));
      note(name, request, answer);
      wrong.push(...complaint(name, tested, request, answer));
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

for (const [name, tested] of Object.entries(WRITES) as [keyof typeof WRITES, TestedOperation][]) {
  test(`${name} changes what the caller owns, and refuses the rest by what the caller may know`, async (t) => {
    await checkWrites(t, name, tested);
  });
}

test('RemoveImageAcl of oneself is how a sharee leaves, and is refused to all who see but do not own', async (t) => {
  await checkWrites(t, 'RemoveImageAcl', LEAVING);
});

/** Each request has an image of its own, because those that may change theirs. */
async function checkWrites(
  t: Parameters<typeof startInProcess>[0],
  name: keyof typeof WRITES,
  tested: TestedOperation,
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
    const isCloned = name === 'CloneImage' && isSharee(request.caller, request.image);
    const isPulled = name === 'CreateImageFilePullUrl';
    if ((isCloned || isPulled) && hasFile(request.image)) {
      await putObject(imgapi.service, record.uuid, 'file0', BYTES);
    }
    const answer = await ask(...askOf(name, tested, record.uuid, request));
    note(name, request, answer);
    wrong.push(...complaint(name, tested, request, answer));
  });
  t.strictSame(wrong, []);
}

test('who was answered with success, and with which errors, is as the rows of the operations say', async (t) => {
  for (const [name, { lacks }] of TABLE) {
    const callers = ROWS[name].callers.filter((kind) => kind !== 'nobody' && kind !== 'datacenter');
    const found = [...(succeeded.get(name) ?? [])];
    if (lacks === undefined) t.same(found.toSorted(), callers.toSorted(), name);
    else t.same(found, [], `${name} lacks ${lacks}`);
  }
  t.same([...unlisted], []);
});

test('an image that is hidden and one that never was get the same answer', async (t) => {
  const { imgapi, url } = await startInProcess(t);
  const ask = asker(t, url);
  const hidden = CASES.filter((image) => !sees('stranger', image)).map((image) => ({ image, record: recordOf(image) }));
  await putRecords(
    imgapi.service,
    hidden.map(({ record }) => record),
  );
  const telling: string[] = [];
  await forEach(combinations({ target: hidden, row: TABLE }), async ({ target, row: [name, tested] }) => {
    const { image, record } = target;
    const absent = randomUUID();
    const request = { caller: 'stranger', image, version: '~3' } as const;
    const [there, nowhere] = await Promise.all(
      [record.uuid, absent].map((uuid) => ask(...askOf(name, tested, uuid, request))),
    );
    const isSame = there?.status === nowhere?.status && there?.text.replaceAll(record.uuid, absent) === nowhere?.text;
    if (!isSame) telling.push(`${name}: ${there?.text}`);
  });
  t.strictSame(telling, []);
});
