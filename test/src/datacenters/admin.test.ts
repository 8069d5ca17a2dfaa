import { readFile, stat } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { type Test, test } from 'tap';
import { request } from 'undici';
import { DATACENTERS } from '#lib/api/imgapi/datacenters.ts';
import { operationRoutes } from '#src/http-kit/operations.ts';
import { listen } from '#src/http-kit/server.ts';
import { IMGAPI } from '#src/imgapi/listener.ts';
import { requestForms } from '#src/imgapi/parameters.ts';
import { datacenterHandlers } from '#src/imgapi/routes/datacenters.ts';
import { forOperators } from '#src/imgapi/routes.ts';
import { ensureOperatorToken, operatorTokenPath } from '#src/service/operator-token.ts';
import { ALICE } from '../../helpers/accounts.ts';
import { type Datacenter, setConfig, startDatacenter } from '../../helpers/datacenter.ts';

interface Answer {
  readonly status: number;
  readonly json: Record<string, unknown>;
}

/** The main port with the routes of link administration; `ask` is an operator on this machine. */
async function adminPort(t: Test, { service }: Datacenter, address = '127.0.0.1', user?: string) {
  const listener = await listen(
    {
      routes: operationRoutes(DATACENTERS, datacenterHandlers(service), {
        wrap: forOperators(service),
        ...requestForms,
      }),
      log: service.log,
      serverName: 'test',
      limits: { json: 1024 * 1024 },
      ...IMGAPI,
      authenticate: async () => ({ user }),
    },
    address,
    0,
  );
  t.teardown(() => listener.close({ patience: 0 }));
  const { port } = listener.address;
  const token = await ensureOperatorToken(service.config.dataDir);
  return async (
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    body?: object,
    headers: Record<string, string> = { authorization: `Bearer ${token}` },
    host = '127.0.0.1',
  ): Promise<Answer> => {
    const answer = await request(`http://${host}:${port}${path}`, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    return { status: answer.statusCode, json: (await answer.body.json()) as Record<string, unknown> };
  };
}

const WRITES = [
  ['POST', '/datacenters/token'],
  ['POST', '/datacenters'],
  ['POST', '/datacenters/rotate-key'],
  ['POST', '/datacenters/us-west-1/check'],
  ['DELETE', '/datacenters/us-west-1'],
] as const;

test('an operator links, checks, rotates and unlinks over HTTP', async (t) => {
  const [east, west] = await Promise.all([startDatacenter(t, 'us-east-1'), startDatacenter(t, 'us-west-1')]);
  const [askEast, askWest] = await Promise.all([adminPort(t, east), adminPort(t, west)]);
  const { json: made } = await askWest('POST', '/datacenters/token', { allowed_accounts: [ALICE] });
  t.match(made, { token: /^imgapi-link-v1\./, url: west.url, datacenter: 'us-west-1', expires: String });
  const linked = await askEast('POST', '/datacenters', { name: 'us-west-1', url: west.url, token: made['token'] });
  t.match(linked, { status: 200, json: { ok: true, created: true, problems: [] } });
  t.match(await askEast('POST', '/datacenters/us-west-1/check'), { status: 200, json: { ok: true } });
  t.match(await askEast('POST', '/datacenters/rotate-key'), { status: 200, json: { announced: ['us-west-1'] } });
  t.match((await askWest('GET', '/datacenters')).json, [{ name: 'us-east-1', allowed_accounts: [ALICE] }]);
  t.match(await askEast('DELETE', '/datacenters/us-west-1'), { status: 200, json: { told: true } });
  t.strictSame((await askWest('GET', '/datacenters')).json, []);
  t.match(await askEast('DELETE', '/datacenters/us-west-1'), { status: 404, json: { code: 'ResourceNotFound' } });
});

test('without the token of this machine nothing is administered', async (t) => {
  const dc = await startDatacenter(t, 'us-east-1');
  const ask = await adminPort(t, dc);
  for (const [method, path] of WRITES) {
    for (const authorization of ['', 'Bearer nonsense', 'Basic eDp5']) {
      t.match(
        await ask(method, path, {}, { authorization }),
        { status: 401, json: { code: 'UnauthorizedError' } },
        path,
      );
    }
  }
});

test('the token is good from this machine only, and not for accounts', async (t) => {
  const dc = await startDatacenter(t, 'us-east-1');
  const ask = await adminPort(t, dc, '0.0.0.0');
  const token = `Bearer ${await ensureOperatorToken(dc.service.config.dataDir)}`;
  const proxied = { authorization: token, 'x-forwarded-for': '192.0.2.1' };
  t.match(await ask('POST', '/datacenters/token', {}, proxied), { status: 401, json: { message: /machine itself/ } });
  // Whichever address of this machine it listens at, who comes from there is on this machine.
  const outside = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
  if (outside !== undefined) {
    t.equal((await ask('POST', '/datacenters/token', {}, { authorization: token }, outside)).status, 200);
    t.match(await ask('POST', '/datacenters/token', {}, proxied, outside), { status: 401 });
  }
  t.equal((await ask('POST', `/datacenters/token?account=${ALICE}`, {})).status, 403);
  t.equal((await ask('GET', `/datacenters?account=${ALICE}`)).status, 403);
});

test('where requests are signed, a signature does instead of the token', async (t) => {
  const dc = await startDatacenter(t, 'us-east-1');
  const ask = await adminPort(t, dc, '127.0.0.1', 'operator');
  t.equal((await ask('POST', '/datacenters/token', {}, {})).status, 401, 'but only there');
  Object.assign(dc.service.config, { authType: 'signature' });
  t.equal((await ask('POST', '/datacenters/token', {}, {})).status, 200);
});

test('bad input is named', async (t) => {
  const dc = await startDatacenter(t, 'us-east-1');
  const ask = await adminPort(t, dc);
  const good = { name: 'us-west-1', url: 'http://127.0.0.1:1', token: 'x' };
  for (const [field, value] of [
    ['name', '../x'],
    ['name', undefined],
    ['url', 'ftp://x'],
    ['url', 'http://user:password@x'],
    ['token', 7],
    ['token', 'x'],
    ['allowed_accounts', ['alice']],
    ['pull_origins', 'all'],
    ['pull_origins', ['nonsense']],
  ] as const) {
    const answer = await ask('POST', '/datacenters', { ...good, [field]: value });
    t.match(answer, { status: 422, json: { code: 'InvalidParameter', errors: [{ field }] } }, `${field}=${value}`);
  }
  t.match(await ask('POST', '/datacenters', []), { status: 400 });
  t.match(await ask('POST', '/datacenters/rotate-key?drop=maybe'), { status: 422 });
});

test('a datacenter without a name or a link port says what to configure', async (t) => {
  const dc = await startDatacenter(t, 'us-east-1');
  const ask = await adminPort(t, dc);
  setConfig(dc, 'links', { publicUrl: undefined as unknown as string, address: '0.0.0.0' });
  t.match(await ask('POST', '/datacenters/token', {}), { status: 501, json: { message: /links\.publicUrl/ } });
  Object.assign(dc.service.config, { datacenterName: undefined });
  t.match(await ask('POST', '/datacenters/token', {}), { status: 501, json: { message: /datacenterName/ } });
});

test('the token is made once, for the eyes of the service alone', async (t) => {
  const { service } = await startDatacenter(t, 'us-east-1');
  const { dataDir } = service.config;
  const tokens = await Promise.all(Array.from({ length: 8 }, () => ensureOperatorToken(dataDir)));
  t.equal(new Set(tokens).size, 1);
  const path = operatorTokenPath(dataDir);
  t.equal((await readFile(path, 'utf8')).trim(), tokens[0]);
  t.equal((await stat(path)).mode & 0o777, 0o600);
});
