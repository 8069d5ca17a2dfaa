/** What one linked datacenter may have of another's work: it shuts no other link out, and spends nobody's budget. */
import { randomUUID } from 'node:crypto';
import { test } from 'tap';
import { request } from 'undici';
import { linkDatacenter } from '#src/datacenters/links/link-datacenter.ts';
import { createLinkToken } from '#src/datacenters/links/link-tokens.ts';
import { linkSource } from '#src/datacenters/sources/source-link.ts';
import { createPullUrl } from '#src/pulls/create-pull-url.ts';
import { ALICE } from '../../helpers/accounts.ts';
import { MiB } from '../../helpers/cloud.ts';
import { bytesOf, linkedPair, putImage, startDatacenter } from '../../helpers/datacenter.ts';

const { signal } = new AbortController();

test('a datacenter that takes all it may leaves others their places and their budget', async (t) => {
  const limits = { downloads: 4, accountRequestsPerSecond: 0.5 };
  const { east, west } = await linkedPair(t, { west: { keys: { limits } } });
  const north = await startDatacenter(t, 'us-north-1');
  const { token, url } = await createLinkToken(west.service);
  await linkDatacenter(north.service, { name: west.name, url, token });
  const { record, bytes, sha1 } = await putImage(west, ALICE, {}, Buffer.alloc(16 * MiB, 'a'));
  const ask = { account: ALICE, sha1, signal, start: 0 };
  const [ofEast, ofNorth] = [east, north].map(({ service }) => linkSource(service, west.name));

  const unread = await ofEast?.getFile(record.uuid, ask);
  await t.rejects(async () => void (await ofEast?.getFile(record.uuid, ask)), { statusCode: 429, message: east.name });
  const other = await ofNorth?.getFile(record.uuid, ask);
  t.ok(other && (await bytesOf(other.stream)).equals(bytes));
  unread?.stream.destroy();

  const asked = await Promise.allSettled(
    Array.from({ length: 12 }, () => ofEast?.getImage(record.uuid, ALICE, signal)),
  );
  t.ok(asked.some(({ status }) => status === 'rejected'));
  t.match(await ofNorth?.getImage(record.uuid, ALICE, signal), { manifest: { uuid: record.uuid } });
});

test('what is read by pull URLs counts for the datacenter that they were made for', async (t) => {
  const { east, west } = await linkedPair(t, { west: { keys: { limits: { downloads: 4 } } } });
  const { record, bytes } = await putImage(west, ALICE, {}, Buffer.alloc(16 * MiB, 'a'));
  const asked = { uuid: record.uuid, index: 0, account: ALICE, requestId: randomUUID(), baseUrl: west.url };
  const ofEast = await createPullUrl(west.service, { ...asked, datacenter: east.name });
  const ofOperator = await createPullUrl(west.service, { ...asked, account: undefined });
  const unread = await request(ofEast.url);
  const refused = await request(ofEast.url);
  t.equal(refused.statusCode, 429);
  t.match(await refused.body.json(), { code: 'TooManyRequests', message: `datacenter ${east.name}` });
  const { body } = await request(ofOperator.url);
  t.ok(Buffer.from(await body.arrayBuffer()).equals(bytes));
  unread.body.destroy();
});
