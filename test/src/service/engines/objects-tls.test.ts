/** Object stores whose certificate is signed by a CA that only the configuration knows. */
import { type Test, test } from 'tap';
import { loadConfig } from '#src/service/config/load.ts';
import { mantaFor } from '../../../engines/manta.ts';
import { s3For } from '../../../engines/s3.ts';
import { ALICE } from '../../../helpers/accounts.ts';
import { bytesOf } from '../../../helpers/datacenter.ts';
import { makeImage } from '../../../helpers/images.ts';
import { configKeys, startInProcess } from '../../../helpers/imgapi.ts';
import { startTlsFront } from '../../../helpers/tls-front.ts';

async function keepsImages(t: Test, keys: Readonly<Record<string, unknown>>): Promise<void> {
  const alice = (await startInProcess(t, keys)).client({ account: ALICE });
  const { image, bytes } = await makeImage(alice, {}, { size: 100_000 });
  t.ok((await bytesOf((await alice.getImageFile(image.uuid)).stream)).equals(bytes));
  await alice.deleteImage(image.uuid);
}

async function keepsNone(t: Test, keys: Readonly<Record<string, unknown>>): Promise<void> {
  const alice = (await startInProcess(t, keys)).client({ account: ALICE });
  const failed: unknown = await makeImage(alice, {}, { size: 1000 }).catch((error: unknown) => error);
  t.match(failed, { statusCode: 503 });
}

test('S3 is reached over TLS by the CA in s3.caFile, and not without it', async (t) => {
  const { keys, server } = await s3For(t);
  const { url: endpoint, caFile } = await startTlsFront(t, server.settings.endpoint);
  const s3 = { ...keys.s3, endpoint };
  await keepsImages(t, { ...keys, s3: { ...s3, caFile } });
  await keepsNone(t, { ...keys, s3 });
  await t.rejects(startInProcess(t, { ...keys, s3: { ...s3, caFile: '/no/such.pem' } }), {
    message: /s3\.caFile: \/no\/such\.pem cannot be read/,
  });
});

test('Manta is reached over TLS by the CA in manta.caFile, or by any if it is told so', async (t) => {
  const { keys, double } = await mantaFor(t);
  const { url, caFile } = await startTlsFront(t, double.url);
  const manta = { ...keys.manta, url };
  await keepsImages(t, { ...keys, manta: { ...manta, caFile } });
  await keepsImages(t, { ...keys, manta: { ...manta, insecure: true, baseDir: 'any' } });
  await keepsNone(t, { ...keys, manta });
  await t.rejects(startInProcess(t, { ...keys, manta: { ...manta, caFile: '/no/such.pem' } }), {
    message: /manta\.caFile: \/no\/such\.pem cannot be read/,
  });
  const both = await configKeys(t.testdir(), { ...keys, manta: { ...manta, caFile, insecure: true } });
  t.match((await loadConfig(undefined, both)).notes.join('\n'), /manta\.caFile: not used; manta\.insecure is true/);
});
