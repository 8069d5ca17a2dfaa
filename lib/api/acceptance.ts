/** Whether shares wait for the account that they are for. Commands load this at every start, so it must not load any schema. */

export const ACCEPTANCES = ['automatic', 'offers'] as const;

/**
 * `automatic`: what is shared with an account is in its lists. `offers`: only once the account has accepted it, or if it
 * trusts who shares.
 */
export type Acceptance = (typeof ACCEPTANCES)[number];
