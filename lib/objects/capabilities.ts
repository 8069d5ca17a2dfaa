/**
 * What not every object store can do. Each is a claim that a backend makes when it is opened: what it claims works, and
 * what it does not claim is refused with an UnsupportedError and its reason, whoever asks.
 */
export interface Capabilities {
  /** `link`: a second name for the same bytes, at once and without room for them. */
  readonly supportsLink: boolean;
  /** `serverCopy`: the store itself makes another object of the same bytes, which takes time and room. */
  readonly supportsServerCopy: boolean;
  /** `signUrl`: the store serves URLs that read an object without further credentials. */
  readonly supportsSignedUrl: boolean;
  /** `siblingPath`: objects of others, where they lie in the same place below roots of their own. */
  readonly supportsSiblings: boolean;
  /** `takeOver` of `open`: what one session has staged can be read by another one. */
  readonly supportsTakeOver: boolean;
  /** Why not, for each that is false: the rest of a sentence that begins with the store's name. */
  readonly reasons: Readonly<Partial<Record<Capability, string>>>;
}

export type Capability = Exclude<keyof Capabilities, 'reasons'>;

/** From `true`, or the reason why not, for each. */
export function capabilities(claims: Readonly<Record<Capability, true | string>>): Capabilities {
  const of = (capability: Capability): boolean => claims[capability] === true;
  const reasons = Object.entries(claims).filter(([, claim]) => claim !== true);
  return {
    supportsLink: of('supportsLink'),
    supportsServerCopy: of('supportsServerCopy'),
    supportsSignedUrl: of('supportsSignedUrl'),
    supportsSiblings: of('supportsSiblings'),
    supportsTakeOver: of('supportsTakeOver'),
    reasons: Object.fromEntries(reasons),
  };
}
