/** Something that is wrong with an installation, and what to do about it. */
export interface Finding {
  /** What was looked at. */
  readonly part:
    | 'configuration'
    | 'accounts'
    | 'tokens'
    | 'files'
    | 'keys'
    | 'room'
    | 'server'
    | 'stores'
    | 'clocks'
    | 'links';
  readonly problem: string;
  readonly mend: string;
}
