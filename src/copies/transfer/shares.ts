/**
 * How transfers share the bandwidth of a link. Each gets the same, but one whose order has to end by a certain time gets what it
 * needs for that, as long as every other one keeps half of what it would have otherwise. Whoever asks for more than that
 * leaves shares what is above these halves by need.
 */

import type { Claim } from '../orders/deadline.ts';

/** Bytes per second, by image. Together they are no more than the budget. */
export function sharesOf(budget: number, claims: readonly Claim[]): Map<string, number> {
  const equal = budget / Math.max(1, claims.length);
  const urgent = new Set(claims.filter(({ need }) => need > equal));
  let share = rest(budget, claims, urgent);
  // What is left for the others may be less than one of them needs that would have been in time with an equal share.
  for (let more = moreThan(share, claims, urgent); more.length > 0; more = moreThan(share, claims, urgent)) {
    for (const claim of more) urgent.add(claim);
    share = rest(budget, claims, urgent);
  }
  const least = equal / 2;
  const needs = sum(urgent);
  if (urgent.size === 0) return new Map(claims.map(({ image }) => [image, equal]));
  if (urgent.size < claims.length && share >= least) {
    return new Map(claims.map((claim) => [claim.image, urgent.has(claim) ? claim.need : share]));
  }
  const above = budget - claims.length * least;
  return new Map(claims.map((claim) => [claim.image, least + (urgent.has(claim) ? (above * claim.need) / needs : 0)]));
}

function moreThan(share: number, claims: readonly Claim[], urgent: ReadonlySet<Claim>): Claim[] {
  return claims.filter((claim) => !urgent.has(claim) && claim.need > share);
}

function rest(budget: number, claims: readonly Claim[], urgent: ReadonlySet<Claim>): number {
  return (budget - sum(urgent)) / Math.max(1, claims.length - urgent.size);
}

function sum(claims: Iterable<Claim>): number {
  let total = 0;
  for (const { need } of claims) total += need;
  return total;
}
