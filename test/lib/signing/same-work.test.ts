/** A refusal takes the same work whatever keys there are: counted, because time is another on every machine. */
import crypto, { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import sshpk from 'sshpk';
import { type Test, test } from 'tap';
import { ALGORITHMS } from '#lib/signing/algorithms.ts';
import { decoyFor } from '#lib/signing/decoys.ts';
import { fingerprintsOfLine, type PublicKey, parsePrivateKey } from '#lib/signing/keys.ts';
import { formatAuthorization } from '#lib/signing/signature-header.ts';
import { verifyRequest } from '#lib/signing/verify-request.ts';
import { accountKeys } from '#src/cloudapi/account-keys.ts';

/** Type and size of every key that something is verified with. */
function countVerifications(t: Test): string[] {
  const seen: string[] = [];
  const { verify } = crypto;
  crypto.verify = ((hash: string, data: Buffer, key: KeyObject, signature: Buffer) => {
    const { modulusLength, namedCurve } = key.asymmetricKeyDetails ?? {};
    seen.push(`${key.asymmetricKeyType} ${modulusLength ?? namedCurve ?? ''}`);
    return verify(hash, data, key, signature);
  }) as typeof verify;
  syncBuiltinESMExports();
  t.teardown(() => {
    crypto.verify = verify;
    syncBuiltinESMExports();
  });
  return seen;
}

const pem = (type: string, options: object): string =>
  (generateKeyPairSync as (type: string, options: object) => { privateKey: KeyObject })(type, options)
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString();
const KEYS: Readonly<Record<string, PublicKey>> = Object.fromEntries(
  Object.entries({
    'rsa 2048': pem('rsa', { modulusLength: 2048 }),
    'rsa 4096': pem('rsa', { modulusLength: 4096 }),
    'ecdsa 256': pem('ec', { namedCurve: 'P-256' }),
    'ecdsa 521': pem('ec', { namedCurve: 'P-521' }),
    ed25519: pem('ed25519', {}),
  }).map(([name, text]) => [name, parsePrivateKey(text).publicKey]),
);

function refusedWith(algorithm: string, bytes: number, keys: readonly PublicKey[], verifications?: number) {
  const signature = randomBytes(bytes);
  const authorization = formatAuthorization({ keyId: 'x', algorithm, headers: ['date'], signature });
  const request = { method: 'GET', path: '/', headers: { date: new Date().toUTCString(), authorization } };
  const rules = { keysOf: () => keys, algorithms: ALGORITHMS, required: ['date'] };
  return verifyRequest(request, { ...rules, ...(verifications && { verifications }) });
}

const SENT: readonly [algorithm: string, bytes: number][] = [
  ['rsa-sha256', 256],
  ['rsa-sha1', 384],
  ['rsa-sha512', 512],
  ['rsa-sha256', 10],
  ['ecdsa-sha256', 71],
  ['ecdsa-sha384', 103],
  ['ecdsa-sha512', 138],
  ['ed25519-sha512', 64],
  ['dsa-sha1', 46],
];

test('a signature that does not verify is checked once, with a key of the kind that can have made it', async (t) => {
  const seen = countVerifications(t);
  for (const [algorithm, bytes] of SENT) {
    const work: string[] = [];
    for (const keys of [[], ...Object.values(KEYS).map((key) => [key])]) {
      seen.length = 0;
      await t.rejects(refusedWith(algorithm, bytes, keys), { name: 'SignatureError' });
      work.push(seen.join());
    }
    t.equal(new Set(work).size, 1, `${algorithm}, ${bytes} bytes: ${[...new Set(work)].join(' or ')}`);
    t.equal(seen.length, bytes === 10 ? 0 : 1);
  }
});

test('where all keys of a name are tried, others take as many checks', async (t) => {
  const seen = countVerifications(t);
  const { 'rsa 2048': rsa, ed25519 } = KEYS as Record<string, PublicKey>;
  for (const keys of [[], [rsa!], [rsa!, rsa!, ed25519!]]) {
    seen.length = 0;
    await t.rejects(refusedWith('rsa-sha256', 256, keys, 3), { name: 'SignatureError' });
    t.strictSame(seen, ['rsa 2048', 'rsa 2048', 'rsa 2048'], `${keys.length} keys`);
  }
});

test('there is a decoy for every algorithm', async (t) => {
  for (const [algorithm, bytes] of SENT) {
    const decoy = decoyFor(algorithm.split('-')[0] ?? '', randomBytes(bytes));
    t.equal(decoy === undefined, bytes === 10, algorithm);
  }
});

test('finding a key of an account looks at that key alone, however many there are', async (t) => {
  const texts = Object.values(KEYS).map(({ openssh }) => openssh);
  const all = Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`key-${at}`, texts[at % texts.length] ?? '']));
  let reads = 0;
  const counted = new Proxy(all, {
    get(target, name) {
      reads += 1;
      return target[String(name)];
    },
  });
  const keys = accountKeys({} as never);
  keys.index(counted);
  reads = 0;
  const { parseKey } = sshpk;
  let parsed = 0;
  sshpk.parseKey = ((...given: Parameters<typeof parseKey>) => {
    parsed += 1;
    return parseKey(...given);
  }) as typeof parseKey;
  t.teardown(() => {
    sshpk.parseKey = parseKey;
  });
  for (const unknown of ['aa:bb', 'SHA256:xyz', 'no-such-key', 'constructor', '__proto__']) {
    t.strictSame(keys.named(counted, unknown), [], unknown);
    t.strictSame(keys.named({}, unknown), [], unknown);
  }
  t.strictSame([reads, parsed], [0, 0], 'nothing of the account was looked at');
  t.equal(keys.named(counted, 'key-7').length, 1);
  t.ok(reads <= 2 && parsed === 1, 'and of a known key that one');
});

test('a key is found by each of its names, and its fingerprints are those of the parsed key', async (t) => {
  const keys = accountKeys({ warn() {} } as never);
  for (const { openssh, fingerprints } of Object.values(KEYS)) {
    t.strictSame(fingerprintsOfLine(`${openssh} comment`), fingerprints);
    const theirs = { mine: openssh };
    const names = [fingerprints.md5, `MD5:${fingerprints.md5.toUpperCase()}`, fingerprints.sha256];
    for (const name of [...names, `${fingerprints.sha256}=`, 'mine']) {
      t.strictSame(
        keys.named(theirs, name).map((key) => key.fingerprints),
        [fingerprints],
        name,
      );
    }
    t.strictSame(keys.all(theirs, 'alice')[0]?.publicKey.fingerprints, fingerprints);
  }
  const broken = { mine: 'nonsense' };
  t.strictSame([keys.named(broken, 'mine'), keys.all(broken, 'alice')], [[], []]);
});
