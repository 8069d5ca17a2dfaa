/**
 * What not every object store can do. A backend claims its capabilities when it is opened. What it does not claim is
 * refused with an UnsupportedError that gives the reason.
 */
export interface Capabilities {
  /** `link`: a second name for the same bytes, which takes neither time nor space. */
  readonly supportsLink: boolean;
  /** `serverCopy`: the store itself makes another object of the same bytes, which takes time and space. */
  readonly supportsServerCopy: boolean;
  /** `signUrl`: the store serves URLs that read an object without further credentials. */
  readonly supportsSignedUrl: boolean;
  /** `siblingPath`: access to the objects of other services, which keep them below roots of their own. */
  readonly supportsSiblings: boolean;
  /** `takeOver` of `open`: one session can read what another has staged. */
  readonly supportsTakeOver: boolean;
  /** `exportTo`: the store is part of a larger one, in which others have places of their own. */
  readonly supportsExport: boolean;
  /** `adopt`: a file of this machine becomes an object without its bytes being copied. */
  readonly supportsAdoption: boolean;
  /** `openPieces`: bytes are written at their places, in any order, and verified piece by piece. */
  readonly supportsPieces: boolean;
  /** Why not, for each that is false: the rest of a sentence that begins with the store's name. */
  readonly reasons: Readonly<Partial<Record<Capability, string>>>;
}

export type Capability = Exclude<keyof Capabilities, 'reasons'>;

/** @param claims for each capability `true`, or the reason why not */
export function capabilities(claims: Readonly<Record<Capability, true | string>>): Capabilities {
  const of = (capability: Capability): boolean => claims[capability] === true;
  const reasons = Object.entries(claims).filter(([, claim]) => claim !== true);
  return {
    supportsLink: of('supportsLink'),
    supportsServerCopy: of('supportsServerCopy'),
    supportsSignedUrl: of('supportsSignedUrl'),
    supportsSiblings: of('supportsSiblings'),
    supportsTakeOver: of('supportsTakeOver'),
    supportsExport: of('supportsExport'),
    supportsAdoption: of('supportsAdoption'),
    supportsPieces: of('supportsPieces'),
    reasons: Object.fromEntries(reasons),
  };
}
