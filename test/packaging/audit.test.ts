/** `make audit` against registries that know of faults, of none, or do not answer such questions. */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { createGunzip } from 'node:zlib';
import { type Test, test } from 'tap';

const SCRIPT = join(import.meta.dirname, '../../src/packaging/audit.ts');
const PACKAGES = {
  'node_modules/leaky': { version: '1.0.0' },
  'node_modules/tool': { version: '1.0.0', dev: true },
};

/** A registry that knows of faults with such severities. */
async function registryOf(t: Test, faults: Readonly<Record<string, string>>, status = 200) {
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    if (request.method === 'POST') {
      const isZipped = request.headers['content-encoding'] === 'gzip';
      asked.push(await text(isZipped ? request.pipe(createGunzip()) : request));
      const found = Object.entries(faults).map(([name, severity], id) => [
        name,
        [{ id, url: 'https://example.com', title: 'it leaks', severity, vulnerable_versions: '<2.0.0' }],
      ]);
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(status === 200 ? JSON.stringify(Object.fromEntries(found)) : '');
      return;
    }
    const name = request.url?.slice(1);
    const versions = Object.fromEntries(['1.0.0', '2.0.0'].map((version) => [version, { name, version }]));
    response.end(JSON.stringify({ name, versions, 'dist-tags': { latest: '2.0.0' } }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

async function audit(t: Test, registry: string): Promise<{ readonly code: number; readonly said: string }> {
  const root = t.testdir();
  const dependencies = { leaky: '1.0.0' };
  const devDependencies = { tool: '1.0.0' };
  const project = { name: 'a', version: '1.0.0', dependencies, devDependencies };
  writeFileSync(join(root, 'package.json'), JSON.stringify(project));
  writeFileSync(
    join(root, 'package-lock.json'),
    JSON.stringify({ ...{ name: 'a', version: '1.0.0', lockfileVersion: 3 }, packages: { '': project, ...PACKAGES } }),
  );
  const env = { ...process.env, npm_config_registry: registry, npm_config_cache: join(root, 'cache') };
  return await new Promise((resolve) => {
    execFile(process.execPath, [SCRIPT], { cwd: root, env }, (error, stdout) =>
      resolve({ code: error ? Number(error.code) : 0, said: stdout }),
    );
  });
}

test('a serious fault in what is shipped fails the audit', async (t) => {
  for (const severity of ['high', 'critical']) {
    const { url } = await registryOf(t, { leaky: severity });
    const { code, said } = await audit(t, url);
    t.equal(code, 1);
    t.match(said, `${severity}: leaky 1.0.0\n1 packages that are shipped have known faults, 1 of them serious\n`);
  }
});

test('lesser ones are told, and what is only developed with is not looked at', async (t) => {
  const { url, asked } = await registryOf(t, { leaky: 'moderate', tool: 'critical' });
  const { code, said } = await audit(t, url);
  t.equal(code, 0);
  t.equal(said, 'moderate: leaky 1.0.0\n1 packages that are shipped have known faults, 0 of them serious\n');
  t.strictSame(asked.length, 1);
});

test('a registry that cannot be asked is said to have no answer, and fails nothing', async (t) => {
  const { url } = await registryOf(t, {}, 405);
  for (const registry of [url, 'http://127.0.0.1:9']) {
    const { code, said } = await audit(t, registry);
    t.equal(code, 0, registry);
    t.match(said, /^Nothing was audited, as the registry has no answer: .*(405|ECONNREFUSED)/);
  }
});
