/** The section `tokens`, which IMGAPI and CloudAPI share: whose bearer tokens are accepted beside signatures. */
import { resolve } from 'node:path';
import { kindOfAddress } from '#lib/network/addresses.ts';
import { bareHost } from '#lib/network/listener-url.ts';
import type { TokenRules } from '#lib/tokens/bearer.ts';
import { problem } from './schema.ts';

export interface TokensConfig {
  readonly issuer: string;
  readonly audience: string;
  /** One of these two. */
  readonly jwksUrl?: string;
  readonly jwksFile?: string;
  readonly cacheSeconds: number;
  readonly clockToleranceSeconds: number;
  readonly maxLifetimeSeconds: number;
  /** Whoever has it in `scope` is an operator; absent: no token is an operator's. */
  readonly operatorScope?: string;
}

/** Rules between the keys of the section. */
export function tokenRules(tokens: TokensConfig | undefined): string[] {
  if (!tokens) return [];
  const { jwksUrl, jwksFile } = tokens;
  if ((jwksUrl === undefined) === (jwksFile === undefined)) {
    return ['tokens: needs jwksUrl or jwksFile, and not both'];
  }
  return jwksUrl === undefined ? [] : urlProblems(jwksUrl);
}

/** Whoever could change keys on their way could make tokens. */
function urlProblems(url: string): string[] {
  const parsed = new URL(url);
  const host = bareHost(parsed);
  const isLoopback = host === 'localhost' || kindOfAddress(host) === 'loopback';
  if (parsed.protocol !== 'https:' && !isLoopback) {
    return [problem('tokens.jwksUrl', url, 'an https URL, or an http URL of this machine')];
  }
  if (parsed.username === '' && parsed.password === '' && parsed.hash === '') return [];
  return ['tokens.jwksUrl: must have no user, password or fragment'];
}

/** With an absolute path. */
export function resolveTokens({ jwksFile, ...tokens }: TokensConfig): TokensConfig {
  return { ...tokens, ...(jwksFile !== undefined && { jwksFile: resolve(jwksFile) }) };
}

export function tokenRulesOf(tokens: TokensConfig): TokenRules {
  const { jwksUrl, jwksFile = '', operatorScope: _operator, ...rules } = tokens;
  return { ...rules, keys: jwksUrl === undefined ? { file: jwksFile } : { url: jwksUrl } };
}
