/** A service that keeps its files in Manta, and what it says of a configuration that does not work there. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { imageObjectPath } from '#lib/manifest/object-paths.ts';
import { generateKeys, type KeyPairText } from '#lib/signing/keys.ts';
import { loadConfig } from '#src/service/config/load.ts';
import { answering } from '../../../doubles/manta/faults.ts';
import { MANTA_MODES, mantaFor } from '../../../engines/manta.ts';
import { ADMIN, ALICE } from '../../../helpers/accounts.ts';
import { makeImage } from '../../../helpers/images.ts';
import { type ConfigKeys, configKeys, startInProcess, temporaryFolder } from '../../../helpers/imgapi.ts';
import { waitFor } from '../../../helpers/wait.ts';

for (const [name, mode] of Object.entries(MANTA_MODES)) {
  test(`${name} keeps the files of accounts where today's IMGAPI looks for them`, async (t) => {
    const { double, keys } = await mantaFor(t, mode);
    const server = await startInProcess(t, keys);
    const client = server.client();
    const { image, bytes } = await makeImage(client, {}, { owner: ALICE, size: 300_000 });
    const place = ['admin', 'stor', 'imgapi', 'test-1', ...imageObjectPath(image.uuid, 'file0').split('/')];
    const stored = double.tree.find(place);
    t.ok(stored?.kind === 'object' && stored.bytes.equals(bytes));
    t.match((await client.getImage(image.uuid, { inclAdminFields: true })).files, [{ stor: 'manta' }]);
    const { stream } = await client.getImageFile(image.uuid);
    t.ok(Buffer.concat(await stream.toArray()).equals(bytes));
    await client.deleteImage(image.uuid);
    t.equal(double.tree.find(place), undefined);
    t.equal(double.tree.find(place.slice(0, -1)), undefined, 'nor its directory');
  });
}

async function startError(t: Test, keys: ConfigKeys): Promise<Error> {
  try {
    await startInProcess(t, keys);
  } catch (error) {
    return error as Error;
  }
  throw new Error('it started');
}

async function keyFile(t: Test, { privatePem }: KeyPairText): Promise<string> {
  const file = join(await temporaryFolder(t), 'id');
  await writeFile(file, privatePem);
  return file;
}

test('a key that is missing, unreadable or another one is a mistake that names its key', async (t) => {
  const { keys } = await mantaFor(t);
  const other = await generateKeys({ comment: 'other' });
  const key = await keyFile(t, other);
  const unusable = join(await temporaryFolder(t), 'id');
  await writeFile(unusable, 'no key');
  const cases: [object, RegExp][] = [
    [{ key: '/nowhere/id' }, /^configuration: manta\.key: private key \/nowhere\/id cannot be read: ENOENT/],
    [{ key: unusable }, /^configuration: manta\.key: .* is not a usable private key$/],
    [{ key }, /^configuration: manta\.keyId: .* is the fingerprint of another key; that of .* is /],
    [{ key, keyId: other.fingerprints.md5 }, /KeyDoesNotExist.*public key of manta\.key must be added/],
    [{ user: 'nobody' }, /AccountDoesNotExist.*manta\.user/],
  ];
  for (const [wrong, message] of cases) {
    const error = await startError(t, { ...keys, manta: { ...keys.manta, ...wrong } });
    t.match(error, { name: 'ConfigError', message });
    t.notMatch(error.message, /PRIVATE/);
  }
});

test('both forms of a fingerprint are taken', async (t) => {
  const pair = await generateKeys({ comment: 'other' });
  const { double, keys } = await mantaFor(t);
  double.addAccount('bob', pair.publicOpenssh);
  const { md5, sha256 } = pair.fingerprints;
  const dataDir = join(await temporaryFolder(t), 'data');
  for (const keyId of [md5, `MD5:${md5}`, sha256]) {
    const manta = { ...keys.manta, user: 'bob', key: await keyFile(t, pair), keyId };
    const server = await startInProcess(t, { ...keys, manta }, { dataDir });
    t.equal(server.imgapi.service.storages.named('manta').name, 'manta', keyId);
  }
});

test('a subuser needs a role, and with one it may', async (t) => {
  const { double, keys } = await mantaFor(t);
  const pair = await generateKeys({ comment: 'sub' });
  double.addSubuser('admin', 'denied', pair.publicOpenssh, false);
  double.addSubuser('admin', 'imgapi', pair.publicOpenssh, true);
  const manta = { ...keys.manta, key: await keyFile(t, pair), keyId: pair.fingerprints.md5 };
  const denied = await startError(t, { ...keys, manta: { ...manta, subuser: 'denied' } });
  t.match(denied, { name: 'ConfigError', message: /NoMatchingRoleTag.*needs a role/ });
  const server = await startInProcess(t, { ...keys, manta: { ...manta, subuser: 'imgapi' } });
  const { image } = await makeImage(server.client(), {}, { owner: ALICE });
  await server.client().deleteImage(image.uuid);
});

test('what is missing or wrong in the section is named', async (t) => {
  const dc = await configKeys(await temporaryFolder(t));
  const problems = async (keys: ConfigKeys): Promise<string> => {
    const error = await loadConfig(undefined, { ...dc, ...keys }).catch((cause: Error) => cause);
    return error instanceof Error ? error.message : 'none';
  };
  t.match(await problems({ storageTypes: ['manta'] }), 'manta: missing; storageTypes names it');
  const manta = { url: 'https://manta.example.com/bob', user: 'bob', key: 'id', keyId: 'ff'.repeat(16) };
  t.match(await problems({ manta }), /manta\.keyId: .* must be the whole fingerprint of a key/);
  const keyId = Array(16).fill('ff').join(':');
  const found = await problems({ storageTypes: ['manta'], manta: { ...manta, keyId } });
  t.match(found, /manta\.url: .* must be the URL of Manta without a path/);
  const { notes } = await loadConfig(undefined, { ...dc, manta: { ...manta, keyId } });
  t.match(notes, [/^manta: not used, because storageTypes does not name it/]);
});

test('the service starts while Manta is down, and uses it as soon as it is there', async (t) => {
  const { double, keys } = await mantaFor(t);
  double.faults.add('PUT', /./, answering(503, 'ServiceUnavailable', { 'retry-after': '30' }), 3);
  const server = await startInProcess(t, keys);
  const { image } = await makeImage(server.client(), {}, { owner: ADMIN });
  t.match((await server.client().getImage(image.uuid, { inclAdminFields: true })).files, [{ stor: 'local' }]);
  const manta = server.imgapi.service.storages.named('manta');
  await waitFor('Manta to be used', () => manta.list('').then(Array.isArray, () => false));
});
