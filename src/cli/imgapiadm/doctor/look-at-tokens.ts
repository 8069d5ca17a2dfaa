/** Whether the public keys of bearer tokens can be had, and one of them be used. */
import { usableKeys } from '#lib/tokens/issuer-keys.ts';
import { type TokensConfig, tokenRulesOf } from '#src/service/config/tokens.ts';
import type { Finding } from './finding.ts';

export async function lookAtTokens(tokens: TokensConfig): Promise<Finding[]> {
  const { keys } = tokenRulesOf(tokens);
  const [key, where] = 'url' in keys ? ['tokens.jwksUrl', keys.url] : ['tokens.jwksFile', keys.file];
  try {
    if ((await usableKeys(keys)) > 0) return [];
    const mend = 'put a public key of P-256 for ES256 there, with a name (kid)';
    return [{ part: 'tokens', problem: `${key}: ${where} has no key that can be used, so no token is accepted`, mend }];
  } catch (error) {
    const mend =
      'url' in keys
        ? `look at the issuer of tokens and at the way there, or correct ${key}`
        : `let the user of the server read a key set (JWKS) there, or correct ${key}`;
    const problem = `${key}: the keys at ${where} cannot be had, so no token is accepted: ${(error as Error).message}`;
    return [{ part: 'tokens', problem, mend }];
  }
}
