/** Signs requests of CloudAPI as an account: the whole request line, so that a signature is good for one call only. */
import type { RequestSigner } from '#lib/client/caller.ts';
import { formatAuthorization, REQUEST_TARGET, signingString } from '#lib/signing/signature-header.ts';
import type { Environment } from '../framework/command.ts';
import { findKey, type SignText } from './keys.ts';
import type { Profile } from './profile.ts';

const SIGNED = [REQUEST_TARGET, 'host', 'date'];

/** The key is looked for when the first request needs it. */
export function accountSigner({ account, user, keyId }: Profile, env: Environment): RequestSigner {
  const who = user === undefined ? account : `${account}/users/${user}`;
  let key: Promise<SignText> | undefined;
  return async ({ method, path, headers }) => {
    key ??= findKey(keyId, env);
    const sign = await key;
    const date = new Date().toUTCString();
    // The text holds neither the name of the key nor the algorithm, which are known only with the signature.
    const text = signingString(
      { method, path, headers: { ...headers, date } },
      { keyId, algorithm: '', headers: SIGNED },
    );
    const { algorithm, keyId: fingerprint, signature } = await sign(text);
    const authorization = formatAuthorization({
      keyId: `/${who}/keys/${fingerprint}`,
      algorithm,
      headers: SIGNED,
      signature: Buffer.from(signature, 'base64'),
    });
    return { date, authorization };
  };
}
