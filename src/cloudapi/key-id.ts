/**
 * The `keyId` of a signed request: `/LOGIN/keys/KEY`, or `/LOGIN/users/SUBUSER/keys/KEY`. KEY is a fingerprint (MD5 as
 * `aa:bb:…`, or `SHA256:…`, which may contain slashes) or the name of the key.
 */
export interface KeyId {
  /** Login or UUID. */
  readonly account: string;
  readonly subuser: string | undefined;
  readonly key: string;
}

const KEY_ID = /^\/([^/]+)(?:\/users\/([^/]+))?\/keys\/(.+)$/;

/** Undefined if it has another form. */
export function parseKeyId(keyId: string): KeyId | undefined {
  const [, account, subuser, key] = KEY_ID.exec(keyId) ?? [];
  return account === undefined || key === undefined ? undefined : { account, subuser, key };
}
