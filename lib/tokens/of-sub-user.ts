import { decodeJwt } from 'jose';

/**
 * Whether a token names a sub-user, as it says itself: for whoever holds it and has no key to verify it, and must not act with all of
 * an account's rights where less was asked for.
 */
export function isOfSubUser(token: string): boolean {
  try {
    const { account, sub } = decodeJwt(token);
    return account !== undefined && account !== sub;
  } catch {
    return false;
  }
}
