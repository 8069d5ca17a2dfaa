/** However the line breaks or a command ends, `create` and `import` make one image, and go on with it. */
import { randomBytes, randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ADMIN } from '../../../helpers/accounts.ts';
import { MANIFEST, sha1Of } from '../../../helpers/images.ts';
import { startInProcess } from '../../../helpers/imgapi.ts';
import { startTcpProxy } from '../../../helpers/tcp-proxy.ts';
import { runImgapiadm } from '../capture.ts';

const server = await startInProcess(t);
const client = server.client();
const bytes = randomBytes(4096);
const file = join(t.testdir(), 'root.img');
writeFileSync(file, bytes);
const proxy = await startTcpProxy(() => Number(new URL(server.url).port));
t.teardown(() => proxy.close());

const FIELDS = Object.entries({ ...MANIFEST, owner: ADMIN }).map(([field, value]) => `${field}=${value}`);
const BREAKS = [
  ['the request is lost', undefined],
  ['only its answer is lost', '200 OK'],
] as const;

for (const [when, answer] of BREAKS) {
  t.test(`create makes one image when ${when}`, async (t) => {
    const name = `made-${randomUUID()}`;
    proxy.trouble = { kind: 'lose', request: 'POST /images', ...(answer !== undefined && { answer }) };
    const ran = await runImgapiadm(['create', ...FIELDS, `name=${name}`, '-f', file, '-u', proxy.url]);
    t.match(ran, { code: 0, stdout: /is created of .*, and active/, stderr: /^The server is away .*; going on when/ });
    const made = await client.listImages({ name, state: 'all' });
    t.match(made, [{ state: 'active', files: [{ sha1: sha1Of(bytes) }] }]);
    t.equal(made.length, 1);
  });

  t.test(`import goes on when ${when}`, async (t) => {
    const { uuid, manifest } = manifestFile(t.testdir());
    proxy.trouble = { kind: 'lose', request: 'action=import', ...(answer !== undefined && { answer }) };
    const ran = await runImgapiadm(['import', '-m', manifest, '-f', file, '-u', proxy.url]);
    t.match(ran, { code: 0, stdout: /is imported of .*, and active/, stderr: /^The server is away .*; going on when/ });
    t.match(await client.getImage(uuid), { state: 'active', files: [{ sha1: sha1Of(bytes) }] });
  });
}

t.test('an import that was interrupted is gone on with by the same command, once', async (t) => {
  const { uuid, manifest } = manifestFile(t.testdir());
  const args = ['import', '-m', manifest, '-f', file, '-u', server.url];
  t.match(await runImgapiadm(args.filter((word) => word !== '-f' && word !== file)), { code: 0 });
  t.match(await runImgapiadm(args), { code: 0, stderr: /is here already and waits for its file/ });
  t.match(await client.getImage(uuid), { state: 'active', files: [{ sha1: sha1Of(bytes) }] });
  t.match(await runImgapiadm(args), { code: 1, stderr: /ImageUuidAlreadyExists/ });
});

t.test('an import does not go on with another image that has its UUID', async (t) => {
  const { uuid, manifest } = manifestFile(t.testdir());
  await client.adminImportImage({ ...MANIFEST, uuid, owner: ADMIN, name: 'another' });
  const ran = await runImgapiadm(['import', '-m', manifest, '-f', file, '-u', server.url]);
  t.match(ran, { code: 1, stderr: /ImageUuidAlreadyExists/ });
  t.match(await client.getImage(uuid), { state: 'unactivated', files: [] });
});

t.test('a server that is not there is not waited for', async (t) => {
  const { manifest } = manifestFile(t.testdir());
  for (const args of [
    ['create', ...FIELDS],
    ['import', '-m', manifest],
  ]) {
    t.match(await runImgapiadm([...args, '-u', 'http://127.0.0.1:1']), { code: 3, stderr: /Unreachable/ });
  }
});

function manifestFile(folder: string): { readonly uuid: string; readonly manifest: string } {
  const uuid = randomUUID();
  const manifest = join(folder, 'manifest.json');
  writeFileSync(manifest, JSON.stringify({ ...MANIFEST, uuid, owner: ADMIN }));
  return { uuid, manifest };
}
