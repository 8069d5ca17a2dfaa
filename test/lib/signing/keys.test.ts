import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sshpk from 'sshpk';
import { test } from 'tap';
import { generateKeys, loadPrivateKey, parsePrivateKey, parsePublicKey } from '#lib/signing/keys.ts';
import { defaultAlgorithm } from '#lib/signing/sign-request.ts';

for (const type of ['ed25519', 'ecdsa'] as const) {
  test(`a new ${type} key is read back in each of its forms`, async (t) => {
    const pair = await generateKeys({ type, comment: 'us-west-1 imgapi key' });
    const publicKey = parsePublicKey(`${pair.publicOpenssh}\n`);
    t.equal(publicKey.type, type);
    t.match(pair.publicOpenssh, /us-west-1 imgapi key$/);
    t.match(pair.privateOpenssh, /^-----BEGIN OPENSSH PRIVATE KEY-----/);
    t.match(pair.privatePem, /^-----BEGIN PRIVATE KEY-----/);
    for (const text of [pair.privateOpenssh, pair.privatePem]) {
      const key = parsePrivateKey(text);
      t.strictSame(key.publicKey.fingerprints, publicKey.fingerprints);
      t.ok(key.publicKey.keyObject.equals(publicKey.keyObject));
    }
  });
}

test('fingerprints are those of OpenSSH and of Triton', (t) => {
  const key = parsePublicKey('ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDk2Yp2bZgRyNXWS0D3VlKVq2aYeQ2G8m1xk8sXo1b4V me');
  t.match(key.fingerprints.md5, /^([0-9a-f]{2}:){15}[0-9a-f]{2}$/);
  t.match(key.fingerprints.sha256, /^SHA256:[A-Za-z0-9+/]{43}$/);
  t.equal(key.fingerprints.sha256, sshpk.parseKey(key.openssh, 'ssh').fingerprint('sha256').toString());
  t.end();
});

test('the algorithm suits the key', (t) => {
  const pem = (key: { export(options: { type: 'pkcs8'; format: 'pem' }): string | Buffer }) =>
    parsePrivateKey(key.export({ type: 'pkcs8', format: 'pem' }).toString());
  const ec = (namedCurve: string) => pem(generateKeyPairSync('ec', { namedCurve }).privateKey);
  t.equal(defaultAlgorithm(pem(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey)), 'rsa-sha256');
  t.equal(defaultAlgorithm(ec('P-256')), 'ecdsa-sha256');
  t.equal(defaultAlgorithm(ec('P-384')), 'ecdsa-sha384');
  t.equal(defaultAlgorithm(ec('P-521')), 'ecdsa-sha512');
  t.equal(defaultAlgorithm(pem(generateKeyPairSync('ed25519').privateKey)), 'ed25519-sha512');
  t.end();
});

test('a key file is loaded, and what is wrong with one is said without its content', async (t) => {
  const dir = t.testdir({ 'broken.key': '-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n' });
  const pair = await generateKeys({ comment: 'x' });
  await writeFile(join(dir, 'good.key'), pair.privatePem);
  t.strictSame((await loadPrivateKey(join(dir, 'good.key'))).publicKey.fingerprints, pair.fingerprints);
  await t.rejects(loadPrivateKey(join(dir, 'none.key')), { name: 'KeyError', message: /none\.key cannot be read/ });
  const error = await loadPrivateKey(join(dir, 'broken.key')).catch((cause: Error) => cause);
  t.match(error, { name: 'KeyError', message: /broken\.key is not a usable private key/ });
  t.notMatch((error as Error).message, /c2VjcmV0/);
});

test('an encrypted key asks for its passphrase', (t) => {
  const encrypted = generateKeyPairSync('rsa', {
    modulusLength: 1024,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem', cipher: 'aes-128-cbc', passphrase: 'open' },
  }).privateKey;
  t.throws(() => parsePrivateKey(encrypted), { name: 'KeyError', message: /needs its passphrase/ });
  t.equal(parsePrivateKey(encrypted, { passphrase: 'open' }).publicKey.type, 'rsa');
  t.end();
});

test('what is no key is refused', (t) => {
  for (const text of ['', 'ssh-rsa', 'ssh-ed25519 AAAA', 'hello', '-----BEGIN PUBLIC KEY-----']) {
    t.throws(() => parsePublicKey(text, 'key "laptop"'), { name: 'KeyError', message: /key "laptop" is not/ });
    t.throws(() => parsePrivateKey(text), { name: 'KeyError' });
  }
  t.end();
});
