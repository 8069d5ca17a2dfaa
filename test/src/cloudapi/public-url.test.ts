/** Servers behind a proxy that takes a part of the path away: `http://proxy/cloud`, `http://proxy/imgapi`. */
import { type Test, test } from 'tap';
import { type Dispatcher, request } from 'undici';
import { ImgapiClient } from '#lib/client/client.ts';
import { signRequest } from '#lib/signing/sign-request.ts';
import { REQUEST_TARGET } from '#lib/signing/signature-header.ts';
import { CloudapiClient } from '#src/cli/triton-image/cloudapi-client.ts';
import { ALICE } from '../../helpers/accounts.ts';
import { cloudapiInProcess, keyOf, makePeople } from '../../helpers/cloudapi.ts';
import { makeImage } from '../../helpers/images.ts';
import { type ConfigKeys, startInProcess } from '../../helpers/imgapi.ts';
import { type PathProxy, startPathProxy } from '../../helpers/path-proxy.ts';
import { presigned } from '../../helpers/signing.ts';

const people = makePeople();

/** A client that signs as `triton-image` does. */
function clientAt(t: Test, url: string): CloudapiClient {
  const { key } = keyOf(people.alice);
  const client = new CloudapiClient({
    url,
    account: 'alice',
    userAgent: 'test',
    insecure: false,
    signer: ({ method, path, headers }) =>
      signRequest({
        ...{ method, path, headers, key, date: new Date(), signed: [REQUEST_TARGET, 'host', 'date'] },
        keyId: `/alice/keys/${key.publicKey.fingerprints.md5}`,
      }),
  });
  t.teardown(() => client.destroy());
  return client;
}

async function cloudBehind(t: Test, proxy: PathProxy, keys: ConfigKeys): Promise<string> {
  const imgapi = await startInProcess(t);
  await makeImage(imgapi.client({ account: ALICE }));
  const { url } = await cloudapiInProcess(t, { people: Object.values(people), imgapi: imgapi.url, keys });
  proxy.servers.set('cloud', url);
  return url;
}

for (const keepsHost of [true, false]) {
  test(`signatures count below a path, behind a proxy that ${keepsHost ? 'keeps' : 'changes'} the Host header`, async (t) => {
    const proxy = await startPathProxy(t);
    proxy.keepsHost = keepsHost;
    const direct = await cloudBehind(t, proxy, { publicUrl: `${proxy.url}/cloud/` });
    t.equal((await clientAt(t, `${proxy.url}/cloud`).listImages({}, {})).length, 1);
    t.equal((await clientAt(t, `${proxy.url}/cloud/`).listImages({}, {})).length, 1);
    t.equal((await clientAt(t, direct).listImages({}, {})).length, 1, 'and for those who come without the proxy');
    const { host } = new URL(proxy.url);
    const url = presigned('/cloud/my/images', { as: people.alice }, { host });
    const { statusCode, body } = await request(`${proxy.url}${url}`);
    t.equal(((await body.json()) as unknown[]).length, 1, 'a signed URL counts as it was sent');
    t.equal(statusCode, 200);
    proxy.servers.set('else', direct);
    await t.rejects(clientAt(t, `${proxy.url}/else`).listImages({}, {}), { name: 'ImgapiError', statusCode: 401 });
  });
}

test('without publicUrl such a signature is refused', async (t) => {
  const proxy = await startPathProxy(t);
  await cloudBehind(t, proxy, {});
  const refused = { name: 'ImgapiError', statusCode: 401, code: 'InvalidCredentials' };
  await t.rejects(clientAt(t, `${proxy.url}/cloud`).listImages({}, {}), refused);
});

test('links and redirects of IMGAPI are right below a path', async (t) => {
  const proxy = await startPathProxy(t);
  const base = `${proxy.url}/imgapi`;
  const server = await startInProcess(t, { publicUrl: base });
  proxy.servers.set('imgapi', server.url);
  const client = new ImgapiClient({ url: base });
  t.teardown(() => client.destroy());
  const made = await Promise.all([1, 2, 3].map(() => makeImage(client, {}, { owner: ALICE })));
  const found: string[] = [];
  for (let url: string | undefined = `${base}/images?limit=1`; url !== undefined; ) {
    const { headers, body }: Dispatcher.ResponseData = await request(url, { headers: { 'accept-version': '~3' } });
    found.push(...((await body.json()) as { uuid: string }[]).map(({ uuid }) => uuid));
    const next: string | undefined = /^<([^>]+)>; rel="next"$/.exec(String(headers['link'] ?? ''))?.[1];
    url = next === undefined ? undefined : new URL(next, url).href;
  }
  t.strictSame(found.toSorted(), made.map(({ image }) => image.uuid).toSorted());
  for (const [path, to] of [
    ['/datasets', '/images'],
    ['/', '/docs/'],
    [`/datasets/${found[0]}`, `/images/${found[0]}`],
  ]) {
    const { statusCode, headers, body } = await request(`${base}${path}`);
    await body.dump();
    t.strictSame([statusCode, new URL(String(headers['location']), base).href], [301, `${base}${to}`], `${path}`);
  }
});
