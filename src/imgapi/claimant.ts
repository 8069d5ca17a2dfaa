/** On whose account the work for a request goes, where several may not have all of it. */
import { networkOf } from '#lib/network/addresses.ts';
import type { Claimant } from '../http-kit/places.ts';
import type { Service } from '../service/service.ts';
import type { Call } from './call.ts';

/** An operator has no share; others go by their account if there is one, else by their link, else by their address. */
export function claimantOf({ config }: Pick<Service, 'config'>): (call: Call, isPublic: boolean) => Claimant {
  const { mode, connections } = config;
  // All that a proxy connects for have its address; whoever has one says so with these two.
  const sharesAddress = (connections.perAddress ?? 0) >= connections.max;
  const stranger = (call: Call): string | undefined =>
    sharesAddress ? undefined : `address ${networkOf(call.remoteAddress)}`;
  return (call, isPublic) => {
    const { datacenter } = call;
    // Which accounts it asks for is its own word: with many of them it would have many shares.
    if (datacenter !== undefined) return linkClaimant(datacenter);
    if (isPublic) return { key: stranger(call), isOperator: false };
    if (mode !== 'dc') {
      const isOperator = call.user !== undefined;
      return { key: isOperator ? undefined : stranger(call), isOperator };
    }
    const account = accountOf(call);
    if (account !== undefined) return { key: `account ${account}`, isOperator: false };
    return call.query['account'] === undefined
      ? { key: undefined, isOperator: true }
      : { key: stranger(call), isOperator: false };
  };
}

/** A linked datacenter, by whichever request it comes. */
export function linkClaimant(datacenter: string): Claimant {
  return { key: `datacenter ${datacenter}`, isOperator: false };
}

/** What is no account is refused by the operation, in its turn. */
export function accountOf(call: Call): string | undefined {
  try {
    return call.account;
  } catch {
    return undefined;
  }
}
