/**
 * Who may do what, beside images: a request of every operation that is not about one image, by an operator and by an
 * account. And of every operation of both listeners, whether it is done for somebody without a signature. The rows of
 * the contract say the same.
 */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { test } from 'tap';
import { COMMON_ERRORS } from '#lib/api/imgapi/form.ts';
import { LINKS } from '#lib/api/imgapi/links.ts';
import { IMGAPI } from '#lib/api/imgapi/operations.ts';
import type { Operation } from '#lib/api/operation.ts';
import { operatorTokenPath } from '#src/service/operator-token.ts';
import { ALICE } from '../../helpers/accounts.ts';
import { MANIFEST } from '../../helpers/images.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { type Answer, asker } from './fixtures/ask.ts';
import { examplePath } from './fixtures/route-table.ts';
import { type Expected, NOT_FOUND, OK } from './fixtures/sharing.ts';
import { AUTH_KEYS } from './fixtures/signing.ts';

interface Tested {
  readonly query?: string;
  readonly json?: object;
  readonly operator: Expected;
  readonly account: Expected;
  /** Why nobody succeeds here. */
  readonly lacks?: string;
  /** Nobody is asked for whom it is: whoever reaches the port, or signs where signatures are in use, is the operator. */
  readonly isUnasked?: true;
}

const OPERATOR_ONLY: Expected = { status: 403, code: 'OperatorOnly' };
const MOVED: Expected = { status: 301 };

function forAll(expected: Expected, more: Partial<Tested> = {}): Tested {
  return { operator: expected, account: expected, ...more };
}

function forOperators(expected: Expected, more: Partial<Tested> = {}): Tested {
  return { operator: expected, account: OPERATOR_ONLY, ...more };
}

const TABLE: Readonly<Record<string, Tested>> = {
  ListImages: forAll(OK),
  CreateImage: forAll(OK, { json: { ...MANIFEST, owner: ALICE } }),
  CreateImageFromVm: forAll(
    { status: 501, code: 'NotAvailable' },
    { query: `vm_uuid=${randomUUID()}`, json: { ...MANIFEST, owner: ALICE }, lacks: 'VMAPI and CNAPI' },
  ),
  AdminImportDockerImage: forOperators(
    { status: 501, code: 'NotAvailable' },
    { query: 'repo=busybox&tag=latest', lacks: 'Docker registries' },
  ),
  AdminImportLxdImage: forOperators(
    { status: 501, code: 'NotAvailable' },
    { query: 'alias=images:alpine', lacks: "LXD's registries" },
  ),
  ListDeletedImages: forAll(OK),
  ListCopies: forOperators(OK),
  ListEvents: forAll(OK),
  ListFanOuts: forAll(OK),
  GetFanOut: forAll(NOT_FOUND, { lacks: 'a fan-out' }),
  CancelFanOut: forAll(NOT_FOUND, { lacks: 'a fan-out' }),
  RetryFanOut: forAll(NOT_FOUND, { lacks: 'a fan-out' }),
  GetJob: forAll(NOT_FOUND, { lacks: 'an import' }),
  GetPullLink: forAll({ status: 401, code: 'UnauthorizedError' }, { lacks: 'the signature of a URL' }),
  GetRoleTags: forOperators(OK, { query: 'resource=/images' }),
  SetRoleTags: forOperators(OK, { query: 'resource=/images', json: { roles: [ALICE] } }),
  // Of another account.
  GetShareSettings: { operator: OK, account: NOT_FOUND },
  ChangeShareSettings: { operator: OK, account: NOT_FOUND, json: { acceptance: 'offers' } },
  GetQuota: { operator: OK, account: NOT_FOUND },
  ListQuotas: forOperators(OK),
  SetQuota: forOperators(OK, { json: { images: 10 } }),
  UnsetQuota: forOperators(OK),
  ListDatacenters: forOperators(OK),
  CreateLinkToken: forOperators({ status: 501, code: 'NotAvailable' }, { json: {}, lacks: 'a link listener' }),
  RotateLinkKey: forOperators(OK),
  LinkDatacenter: forOperators({ status: 422, code: 'InvalidParameter' }, { json: {}, lacks: 'a token' }),
  CheckDatacenter: forOperators(NOT_FOUND, { lacks: 'another datacenter' }),
  UnlinkDatacenter: forOperators(NOT_FOUND, { lacks: 'another datacenter' }),
  AdminGetAccount: forOperators(NOT_FOUND, { lacks: 'that account' }),
  AdminReap: forOperators(OK),
  AdminMigrate: forOperators(
    { status: 422, code: 'InvalidParameter' },
    { query: 'kind=documents&to=local', lacks: 'another engine' },
  ),
  AdminListMigrations: forOperators(OK),
  AdminVerify: forOperators(OK),
  AdminScrub: forOperators(OK),
  AdminListFindings: forOperators(OK),
  AdminListWebhooks: forOperators(OK),
  AdminRetryWebhook: forOperators(NOT_FOUND, { lacks: 'a webhook in the configuration' }),
  ListTasks: forOperators(OK),
  Ping: forAll(OK),
  Healthz: forAll(OK),
  ListChannels: forAll(NOT_FOUND, { lacks: 'channels' }),
  AdminGetState: forAll(OK, { isUnasked: true }),
  AdminDropCaches: forAll({ status: 202 }, { isUnasked: true }),
  AdminReloadAuthKeys: forAll(OK, { isUnasked: true }),
  ListDatasets: forAll(MOVED),
  GetDataset: forAll(MOVED),
  Favicon: forAll(OK),
  Root: forAll(MOVED),
  Docs: forAll(MOVED),
  OpenApi: forAll(OK),
  Console: forAll(MOVED),
  GetConsoleSettings: forAll(OK),
  GetConsoleMetrics: forOperators(NOT_FOUND, { lacks: 'a metrics listener' }),
  CreateConsoleLogin: forOperators(OK),
  ConsoleLogIn: forAll({ status: 401, code: 'UnauthorizedError' }, { json: { token: 'x' }, lacks: 'a token' }),
  ConsoleLogOut: forAll({ status: 204 }),
  GetConsoleFile: forAll(NOT_FOUND, { lacks: 'that file' }),
  GetConsoleModule: forAll(NOT_FOUND, { lacks: 'that file' }),
};

const ROWS: Readonly<Record<string, Operation>> = IMGAPI;

test('every operation that is not on an image is in the table', async (t) => {
  const names = Object.entries(ROWS)
    .filter(([, { path }]) => !path.startsWith('/images/:uuid'))
    .map(([name]) => name);
  t.same(Object.keys(TABLE).toSorted(), names.toSorted());
});

/** The row's method and path for what is not there. */
function targetOf({ path, action }: Operation, more: Readonly<Record<string, string | undefined>> = {}): string {
  const given = Object.entries({ action, ...more }).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return `${examplePath(path, randomUUID())}?${new URLSearchParams(given)}`;
}

test('operators and accounts are answered as the rows say', async (t) => {
  const { url, dataDir } = await startInProcess(t);
  const ask = asker(t, url);
  const token = (await readFile(operatorTokenPath(dataDir), 'utf8')).trim();
  for (const [name, { query, json, operator, account, lacks, isUnasked }] of Object.entries(TABLE)) {
    const row = ROWS[name]!;
    const askAs = (as: string | undefined): Promise<Answer> =>
      ask(targetOf(row, { ...Object.fromEntries(new URLSearchParams(query)), account: as }), {
        method: row.method,
        headers: { 'accept-version': '~3', ...(row.auth === 'operator' && { authorization: `Bearer ${token}` }) },
        ...(json && { json }),
      });
    for (const [kind, as, expected] of [
      ['operator', undefined, operator],
      ['stranger', ALICE, account],
    ] as const) {
      const answer = await askAs(as);
      const { status, json: body } = answer;
      const what = `${name} by ${kind}: ${answer.text.slice(0, 200)}`;
      t.match({ status, ...(expected.code !== undefined && { code: body?.code }) }, expected, what);
      if (status >= 400) t.ok([...row.errors, ...COMMON_ERRORS].includes(body.code), `${name} may answer ${body.code}`);
      const isLetIn = status < 400;
      if (lacks === undefined && !isUnasked) t.equal(row.callers.includes(kind), isLetIn, what);
      if (lacks !== undefined) t.notOk(isLetIn, `${name} lacks ${lacks}`);
    }
  }
});

/** What opens it is in the URL. */
const HAS_CREDENTIALS_IN_URL = ['GetPullLink'];

test('without a signature, where signatures are in use, everything is 401 but what the rows open to nobody', async (t) => {
  const channels = [{ name: 'dev', description: 'x', default: true }];
  const config = { mode: 'private', authType: 'signature', authKeys: AUTH_KEYS, channels };
  const { url } = await startInProcess(t, config);
  const ask = asker(t, url);
  for (const [name, row] of Object.entries(ROWS)) {
    if (row.where === 'accounts' || HAS_CREDENTIALS_IN_URL.includes(name)) continue;
    const { status } = await ask(targetOf(row), { method: row.method, headers: { 'accept-version': '~3' } });
    t.equal(status !== 401, row.callers.includes('nobody'), `${name}: ${status}`);
  }
});

test('to other datacenters nothing is open that is not signed, but what the rows open to nobody', async (t) => {
  const { linksUrl = '' } = await startInProcess(t, { links: { address: '127.0.0.1', port: 0 } });
  const ask = asker(t, linksUrl);
  for (const [name, row] of Object.entries(LINKS as Readonly<Record<string, Operation>>)) {
    if (HAS_CREDENTIALS_IN_URL.includes(name)) continue;
    t.ok(
      row.callers.every((kind) => kind === 'nobody' || kind === 'datacenter'),
      `${name} is for datacenters alone`,
    );
    const { status } = await ask(targetOf(row), { method: row.method });
    t.equal(status !== 401, row.callers.includes('nobody'), `${name}: ${status}`);
  }
  for (const path of ['/images', '/ping', '/copies', '/datacenters', '/state']) {
    t.equal((await ask(path)).status, 404, `${path} is not served to other datacenters`);
  }
});
