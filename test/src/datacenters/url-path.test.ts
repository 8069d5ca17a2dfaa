/** Datacenters whose link listeners stand behind a proxy, each below a path of its own. */
import { test } from 'tap';
import { checkLink } from '#src/datacenters/links/check-link.ts';
import { linkDatacenter } from '#src/datacenters/links/link-datacenter.ts';
import { createLinkToken } from '#src/datacenters/links/link-tokens.ts';
import { linkSource } from '#src/datacenters/sources/source-link.ts';
import { ALICE } from '../../helpers/accounts.ts';
import { bytesOf, clientOf, putImage, setConfig, startDatacenter } from '../../helpers/datacenter.ts';
import { startPathProxy } from '../../helpers/path-proxy.ts';

const { signal } = new AbortController();

for (const keepsHost of [true, false]) {
  test(`a link works below a path, behind a proxy that ${keepsHost ? 'keeps' : 'changes'} the Host header`, async (t) => {
    const [east, west] = await Promise.all([startDatacenter(t, 'us-east-1'), startDatacenter(t, 'us-west-1')]);
    const proxy = await startPathProxy(t);
    proxy.keepsHost = keepsHost;
    for (const dc of [east, west]) {
      proxy.servers.set(dc.name, dc.url);
      setConfig(dc, 'links', { publicUrl: `${proxy.url}/${dc.name}/` });
    }
    const { token, url } = await createLinkToken(west.service);
    t.equal(url, `${proxy.url}/us-west-1`);
    t.match(await linkDatacenter(east.service, { name: 'us-west-1', url, token }), { ok: true, problems: [] });
    for (const [here, there] of [
      [east, west],
      [west, east],
    ] as const) {
      t.ok((await checkLink(here.service, there.name)).ok, `${here.name} checks ${there.name}`);
      const { record, bytes, sha1 } = await putImage(there, ALICE);
      const source = linkSource(here.service, there.name);
      const ask = { account: ALICE, start: 0, sha1, signal };
      t.ok((await bytesOf((await source.getFile(record.uuid, ask)).stream)).equals(bytes));
      const pull = (await source.createPullUrl(record.uuid, ALICE, undefined, signal))!;
      t.ok(pull.url.startsWith(`${proxy.url}/${there.name}/pulls/`), pull.url);
      t.ok((await bytesOf((await source.getPullUrl(pull.url, ask)).stream)).equals(bytes));
    }

    // What was signed for one of them is not good at the other, though both are at the same host.
    const client = await clientOf(east, 'us-west-1');
    proxy.servers.set('us-west-1', east.url);
    await t.rejects(client.json({ method: 'GET', path: '/link/ping' }), { name: 'ImgapiError', statusCode: 401 });
  });
}
