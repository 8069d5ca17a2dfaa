import { test } from 'tap';
import { checkLink } from '#src/datacenters/links/check-link.ts';
import { linkClientWith } from '#src/datacenters/links/link-client.ts';
import { linkDatacenter } from '#src/datacenters/links/link-datacenter.ts';
import { createLinkToken } from '#src/datacenters/links/link-tokens.ts';
import { findLink } from '#src/datacenters/links/links.ts';
import { refreshLinkHealth } from '#src/datacenters/links/list-datacenters.ts';
import { newest, newKey, ownKeys } from '#src/datacenters/links/own-keys.ts';
import { rotateKey, rotationText } from '#src/datacenters/links/rotate-key.ts';
import { clientOf, type Datacenter, linkedPair, startDatacenter } from '../../helpers/datacenter.ts';

async function keysOf(of: Datacenter, at: Datacenter): Promise<string[]> {
  return (await findLink(at.service, of.name))!.value.keys.map(({ fingerprint }) => fingerprint);
}

test('a rotation gives every linked datacenter the new key, and takes the old one from it', async (t) => {
  const { east, west } = await linkedPair(t);
  const old = newest((await ownKeys(east.service)).value);
  const report = await rotateKey(east.service);
  t.match(report, { announced: ['us-west-1'], failed: [], dropped: [old.fingerprint] });
  t.not(report.new_key, old.fingerprint);
  t.strictSame(await keysOf(east, west), [report.new_key]);
  t.ok((await checkLink(east.service, 'us-west-1')).ok);

  const link = (await findLink(east.service, 'us-west-1'))!.value;
  t.equal(link.retired_keys, undefined);
  await t.rejects(linkClientWith(east.service, link, old).json({ method: 'GET', path: '/link/ping' }), {
    name: 'ImgapiError',
    statusCode: 401,
  });
});

test('while somebody cannot be told, old and new key overlap, and the next call goes on', async (t) => {
  const { east, west } = await linkedPair(t);
  const gone = await startDatacenter(t, 'eu-ams-1');
  await linkDatacenter(east.service, { name: 'eu-ams-1', ...(await createLinkToken(gone.service)) });
  await gone.stop();
  const old = newest((await ownKeys(east.service)).value).fingerprint;

  const first = await rotateKey(east.service);
  t.match(first, { announced: ['us-west-1'], failed: [{ datacenter: 'eu-ams-1' }], dropped: [] });
  t.strictSame(await keysOf(east, west), [first.new_key], 'whoever was told needs the old one no more');
  t.equal((await ownKeys(east.service)).value.keys.length, 2);
  t.equal((await findLink(east.service, 'eu-ams-1'))!.value.our_key, old);
  t.ok((await checkLink(east.service, 'us-west-1')).ok);

  const second = await rotateKey(east.service);
  t.equal(second.new_key, first.new_key, 'no third key is made');

  const third = await rotateKey(east.service, { drop: true });
  t.strictSame(third.dropped, [old]);
  t.equal((await ownKeys(east.service)).value.keys.length, 1);
});

test('a datacenter that missed which key to forget is told later', async (t) => {
  const { east, west } = await linkedPair(t);
  const old = newest((await ownKeys(east.service)).value);
  await rotateKey(east.service);
  const link = (await findLink(east.service, 'us-west-1'))!;
  const there = (await findLink(west.service, 'us-east-1'))!;
  const { putLink } = await import('#src/datacenters/links/links.ts');
  // As if the message had been lost.
  await east.service.store.batch([putLink({ ...link.value, retired_keys: [old.fingerprint] }, link.etag)]);
  await west.service.store.batch([putLink({ ...there.value, keys: [...there.value.keys, old] }, there.etag)]);
  await refreshLinkHealth(east.service);
  t.notOk((await keysOf(east, west)).includes(old.fingerprint));
  t.equal((await findLink(east.service, 'us-west-1'))!.value.retired_keys, undefined);
});

test('a new key is taken only with a proof by that key, for this very link', async (t) => {
  const { east, west } = await linkedPair(t);
  const { sign } = await import('node:crypto');
  const { parsePrivateKey } = await import('#lib/signing/keys.ts');
  const key = await newKey(east.service);
  const client = await clientOf(east, 'us-west-1');
  const propose = (text: Buffer) => {
    const proof = sign(null, text, parsePrivateKey(key.privateKey).keyObject).toString('base64');
    const body = JSON.stringify({ add: { public_key: key.publicKey, proof } });
    return client.json({ method: 'POST', path: '/link/rotate', body });
  };
  await t.rejects(propose(rotationText('us-east-1', 'eu-ams-1', key.fingerprint)), {
    name: 'ImgapiError',
    statusCode: 422,
  });
  await t.rejects(propose(rotationText('us-west-1', 'us-west-1', key.fingerprint)), {
    name: 'ImgapiError',
    statusCode: 422,
  });
  await propose(rotationText('us-east-1', 'us-west-1', key.fingerprint));
  t.ok((await keysOf(east, west)).includes(key.fingerprint));
});

test('a link holds a bounded number of keys, and room comes by dropping old ones', async (t) => {
  const { east, west } = await linkedPair(t);
  const { sign } = await import('node:crypto');
  const { parsePrivateKey } = await import('#lib/signing/keys.ts');
  const client = await clientOf(east, 'us-west-1');
  const announce = async (drop?: readonly string[]) => {
    const key = await newKey(east.service);
    const text = rotationText('us-east-1', 'us-west-1', key.fingerprint);
    const proof = sign(null, text, parsePrivateKey(key.privateKey).keyObject).toString('base64');
    const body = JSON.stringify({ add: { public_key: key.publicKey, proof }, ...(drop && { drop }) });
    await client.json({ method: 'POST', path: '/link/rotate', body });
    return key.fingerprint;
  };
  const oldest = await announce();
  for (let keys = (await keysOf(east, west)).length; keys < 20; keys += 1) await announce();
  await t.rejects(announce(), { statusCode: 422, message: /drop old ones first/ });
  t.equal((await keysOf(east, west)).length, 20);
  const latest = await announce([oldest]);
  const known = await keysOf(east, west);
  t.equal(known.length, 20);
  t.notOk(known.includes(oldest));
  t.ok(known.includes(latest));
});

test('the key that signs a request is not dropped by it', async (t) => {
  const { east, west } = await linkedPair(t);
  const client = await clientOf(east, 'us-west-1');
  const [fingerprint] = await keysOf(east, west);
  const body = JSON.stringify({ drop: [fingerprint] });
  await t.rejects(client.json({ method: 'POST', path: '/link/rotate', body }), {
    name: 'ImgapiError',
    statusCode: 422,
  });
  t.strictSame(await keysOf(east, west), [fingerprint]);
});

test('processes that make the first key at once agree on one', async (t) => {
  const { service } = await startDatacenter(t, 'us-east-1');
  const found = await Promise.all(Array.from({ length: 8 }, () => ownKeys(service)));
  t.equal(new Set(found.map(({ value }) => newest(value).fingerprint)).size, 1);
});
