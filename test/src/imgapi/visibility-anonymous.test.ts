/**
 * Public and private image servers, where signatures tell who may see more than what is active: every state of an
 * image, shared or not, in every API version, for callers with and without a signature.
 */
import { test } from 'tap';
import { IMGAPI } from '#lib/api/imgapi/operations.ts';
import type { Operation } from '#lib/api/operation.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { asker, combinations, forEach } from './fixtures/ask.ts';
import { putRecords, STATES } from './fixtures/records.ts';
import {
  CALLERS,
  type CallerName,
  type Case,
  type Expected,
  hasFile,
  isInState,
  mayChange,
  NOT_FOUND,
  OK,
  putCases,
  recordOf,
  sees,
  VERSIONS,
  type Version,
} from './fixtures/sharing.ts';
import { AUTH_KEYS, signedHeaders } from './fixtures/signing.ts';

interface Caller {
  readonly as: CallerName;
  readonly signed: boolean;
}

const CALLERS_HERE: readonly Caller[] = combinations({
  as: ['operator', 'owner', 'sharee by uuid', 'sharee by login', 'stranger'] as const,
  signed: [false, true],
});

interface Request {
  readonly caller: Caller;
  readonly image: Case;
  readonly version: Version;
}

const NEEDS_VERSION_3: Expected = { status: 422, code: 'InvalidParameter' };
const UNAUTHORIZED: Expected = { status: 401, code: 'UnauthorizedError' };

/** Without a signature only what is active is there, whoever the caller says it is. */
function isSeen({ caller, image }: Request): boolean {
  return sees(caller.as, image) && (caller.signed || image.state === 'active');
}

type Rule = (request: Request) => Expected;

function ifSeen(answer: Rule): Rule {
  return (request) => (isSeen(request) ? answer(request) : NOT_FOUND);
}

const READS: Readonly<Record<string, Rule>> = {
  '': ifSeen(() => OK),
  '/file': ifSeen(({ image }) => (hasFile(image) ? OK : NOT_FOUND)),
  '/icon': ifSeen(({ image }) => (hasFile(image) ? OK : NOT_FOUND)),
  '/jobs': ifSeen(() => OK),
  '/ancestry': ifSeen(({ version }) => (version === '~3' ? OK : NEEDS_VERSION_3)),
  '/copy': ({ caller, version }) => {
    if (!caller.signed) return UNAUTHORIZED;
    return version === '~3' ? NOT_FOUND : NEEDS_VERSION_3;
  },
};

const IMAGE = '/images/:uuid';

/** Whatever its row says of signatures. */
const WRITES: readonly (readonly [method: string, path: string])[] = [
  ['POST', ''],
  ['POST', '?action=nothing'],
  ['POST', '/acl'],
  ...Object.values<Operation>(IMGAPI)
    .filter(({ method, path, where }) => method !== 'GET' && path.startsWith(IMAGE) && where === undefined)
    .map(({ method, path, action }) => {
      const query = new URLSearchParams({ compression: 'none', ...(action !== undefined && { action }) });
      return [method, `${path.slice(IMAGE.length)}?${query}`] as const;
    }),
];

for (const mode of ['public', 'private'] as const) {
  const cases: readonly Case[] = combinations({ state: STATES, public: [mode === 'public'], shared: [false, true] });
  const config = { mode, authType: 'signature', authKeys: AUTH_KEYS };

  test(`in ${mode} mode a caller without a signature reads what is active, and one with it what the rules say`, async (t) => {
    const { imgapi, url } = await startInProcess(t, config);
    const ask = asker(t, url);
    const signature = signedHeaders();
    const records = await putCases(imgapi.service, cases);
    const wrong: unknown[] = [];
    const requests = combinations({ caller: CALLERS_HERE, image: cases, version: VERSIONS, path: Object.keys(READS) });
    await forEach(requests, async ({ path, ...request }) => {
      const { caller, image, version } = request;
      const account = CALLERS[caller.as];
      const answer = await ask(
        `/images/${records.get(image)?.uuid}${path}${account === undefined ? '' : `?account=${account}`}`,
        { headers: { 'accept-version': version, ...(caller.signed ? signature : {}) } },
      );
      const { status, code } = READS[path]!(request);
      const isRight = answer.status === status && (code === undefined || answer.json?.code === code);
      if (!isRight) wrong.push({ path, ...request, got: `${answer.status} ${answer.text.slice(0, 200)}` });
      const hasAcl = path === '' && answer.status === 200 && ('acl' in answer.json || 'shared_as' in answer.json);
      if (hasAcl && !caller.signed) wrong.push({ path, ...request, got: answer.json });
    });
    t.strictSame(wrong, []);
  });

  test(`in ${mode} mode lists show a caller without a signature what is active, and nothing in another state`, async (t) => {
    const { imgapi, url } = await startInProcess(t, config);
    const ask = asker(t, url);
    const signature = signedHeaders();
    const records = new Map(cases.map((image) => [recordOf(image), image] as const));
    await putRecords(imgapi.service, [...records.keys()]);
    const states = ['', 'active', 'disabled', 'unactivated', 'creating', 'failed', 'all'] as const;
    const wrong: unknown[] = [];
    await forEach(combinations({ caller: CALLERS_HERE, version: VERSIONS, state: states }), async (request) => {
      const { caller, version, state } = request;
      const account = CALLERS[caller.as];
      const query = new URLSearchParams({
        ...(state === '' ? {} : { state }),
        ...(account === undefined ? {} : { account }),
      });
      const answer = await ask(`/images?${query}`, {
        headers: { 'accept-version': version, ...(caller.signed ? signature : {}) },
      });
      const isOwnOnly = state === 'disabled' || state === 'unactivated';
      const isShown = (image: Case): boolean =>
        isSeen({ caller, image, version }) &&
        isInState(image, state || 'active', version) &&
        (mayChange(caller.as) || !isOwnOnly);
      const wanted = [...records].filter(([, image]) => isShown(image)).map(([{ uuid }]) => uuid);
      const got = (answer.json as { uuid: string }[]).map(({ uuid }) => uuid);
      if (wanted.sort().join() !== got.sort().join()) wrong.push({ request, wanted: wanted.length, got: got.length });
    });
    t.strictSame(wrong, []);
  });

  test(`in ${mode} mode no write passes without a signature, not even to tell whether the image is there`, async (t) => {
    const { imgapi, url } = await startInProcess(t, config);
    const ask = asker(t, url);
    const records = cases.map((image) => recordOf(image));
    await putRecords(imgapi.service, records);
    const targets = [...records.map(({ uuid }) => uuid), '0c7e2b3a-0000-4000-8000-000000000000', 'no-uuid'];
    const wrong: unknown[] = [];
    const requests = combinations({ uuid: targets, write: WRITES, version: VERSIONS });
    await forEach(requests, async ({ uuid, write: [method, path], version }) => {
      const answer = await ask(`/images/${uuid}${path}`, { method, headers: { 'accept-version': version }, json: {} });
      if (answer.status !== 401 || answer.json.code !== 'UnauthorizedError') {
        wrong.push({ method, path, version, got: `${answer.status} ${answer.text}` });
      }
    });
    t.strictSame(wrong, []);
    const list = await ask('/images?state=all', { headers: signedHeaders() });
    t.equal(list.json.length, records.filter(({ state }) => state !== 'deleting').length, 'nothing has changed');
  });
}
