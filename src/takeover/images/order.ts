/** The order in which images are taken in: each after the one that it builds on, if that comes too. */

export interface Ordered {
  readonly order: readonly string[];
  /** Images that are their own origin, directly or through others. */
  readonly circles: readonly string[];
}

/** @param origins of all that come, by UUID */
export function originsFirst(origins: ReadonlyMap<string, string | undefined>): Ordered {
  const order = new Set<string>();
  const circles = new Set<string>();
  for (const uuid of origins.keys()) {
    const chain = new Set<string>();
    let next: string | undefined = uuid;
    while (next !== undefined && origins.has(next) && !order.has(next) && !circles.has(next) && !chain.has(next)) {
      chain.add(next);
      next = origins.get(next);
    }
    const members = [...chain];
    // Where the chain meets itself the circle begins; what leads to it builds on nothing that can come.
    if (next !== undefined && chain.has(next)) {
      for (const member of members.slice(members.indexOf(next))) circles.add(member);
    }
    for (const member of members.reverse()) if (!circles.has(member)) order.add(member);
  }
  return { order: [...order], circles: [...circles] };
}
