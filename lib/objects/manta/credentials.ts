/** How requests to Manta are signed, and URLs that others may use. */
import { sign } from 'node:crypto';
import type { Signed } from 'manta';
import { partsOf } from '../../signing/algorithms.ts';
import type { PrivateKey } from '../../signing/keys.ts';
import { CLASSIC_SIGNED_HEADERS, defaultAlgorithm, signRequest } from '../../signing/sign-request.ts';

export interface Identification {
  /** Login of the account. */
  readonly user: string;
  /** A user below it. */
  readonly subuser?: string | undefined;
  readonly key: PrivateKey;
}

/** Signs in the name of an account, or of a user below it. */
export class Credentials {
  readonly user: string;
  readonly subuser: string | undefined;
  /** `/user/keys/FINGERPRINT` */
  readonly keyId: string;
  readonly #key: PrivateKey;

  constructor({ user, subuser, key }: Identification) {
    this.user = user;
    this.subuser = subuser;
    this.keyId = `/${[user, subuser, 'keys', key.publicKey.fingerprints.md5].filter(Boolean).join('/')}`;
    this.#key = key;
  }

  /** The headers that make a request ours. */
  headers(method: string, path: string): Readonly<Record<string, string>> {
    const { keyId } = this;
    return signRequest({
      method,
      path,
      headers: {},
      key: this.#key,
      keyId,
      date: new Date(),
      signed: CLASSIC_SIGNED_HEADERS,
    });
  }

  /** The same for the npm client, which adds the account to the fingerprint. */
  signed(text: string): Signed {
    const { user, subuser } = this;
    const { md5 } = this.#key.publicKey.fingerprints;
    return { algorithm: defaultAlgorithm(this.#key), keyId: md5, user, subuser, signature: this.#signature(text) };
  }

  /**
   * The query of a URL that reads what lies at a path until `expires`.
   * @param path as it will be sent, percent-encoded
   */
  signedQuery(host: string, path: string, expires: Date): string {
    const method = 'GET,HEAD';
    const query = new Map([
      ['algorithm', defaultAlgorithm(this.#key).toUpperCase()],
      // Seconds: the npm client's own default is in milliseconds, and such a URL lasts for 55,000 years.
      ['expires', String(Math.floor(expires.getTime() / 1000))],
      ['keyId', this.keyId],
      ['method', method],
    ]);
    const text = [...query].map(([name, value]) => `${name}=${encoded(value)}`).join('&');
    return `${text}&signature=${encoded(this.#signature([method, host, path, text].join('\n')))}`;
  }

  #signature(text: string): string {
    const { hash } = partsOf(defaultAlgorithm(this.#key));
    return sign(hash, Buffer.from(text), this.#key.keyObject).toString('base64');
  }
}

/** As Manta encodes a query before it verifies its signature. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}
