/** What an import has done, or would do. */

export interface Problem {
  /** In the source. */
  readonly where: string;
  readonly uuid?: string;
  readonly reasons: readonly string[];
}

export interface TakenImage {
  readonly uuid: string;
  readonly name: string;
  readonly version: string;
  readonly result: 'imported' | 'updated';
  /** How its bytes came: under another name of theirs, by copying, or not at all because they were in place. */
  readonly linked: number;
  readonly copied: number;
  readonly in_place: number;
}

export interface LeftImage {
  readonly uuid: string;
  readonly why: string;
}

export interface ImportReport {
  readonly source: string;
  readonly dry_run: boolean;
  readonly images: readonly TakenImage[];
  /** How many are here as they are there. */
  readonly same: number;
  /** What is not touched, because of what was done here since. */
  readonly left: readonly LeftImage[];
  /** What was not imported. */
  readonly problems: readonly Problem[];
  /** What is imported, and worth a look. */
  readonly remarks: readonly string[];
  /** Users whose keys were added. */
  readonly keys: readonly string[];
}
