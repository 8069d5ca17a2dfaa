import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import { test } from 'tap';
import { parsePrivateKey } from '#lib/signing/keys.ts';

/** PKCS#8 of an Ed25519 key, up to its 32 bytes. */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

test('an Ed25519 key that begins with zeros is as good as any', async (t) => {
  for (const zeros of [0, 1, 2, 31]) {
    const seed = Buffer.concat([Buffer.alloc(zeros), Buffer.alloc(32 - zeros, 0xa5)]);
    const original = createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' });
    const parsed = parsePrivateKey(original.export({ type: 'pkcs8', format: 'pem' }).toString());
    const text = Buffer.from('signed');
    t.ok(verify(null, text, createPublicKey(original), sign(null, text, parsed.keyObject)), `${zeros} zeros`);
    t.ok(verify(null, text, parsed.publicKey.keyObject, sign(null, text, original)), 'and its public half');
  }
});
