/** What the rules of the fields have in common. */
import type { FieldProblem } from './problem.ts';

/** How IMGAPI is run: within a datacenter, or as a public or private image server. */
export type ManifestMode = 'dc' | 'public' | 'private';

export interface RuleContext {
  /** The whole record, for rules that look at more than one field. */
  readonly record: Readonly<Record<string, unknown>>;
  readonly mode: ManifestMode;
  /** Whether images are in channels here. */
  readonly channels: boolean;
  /**
   * The record was stored earlier, perhaps by an older IMGAPI. Rules that came later do not apply: an image that was
   * good enough to be stored does not vanish.
   */
  readonly stored: boolean;
}

/** Adds what is wrong with a value that is there to `problems`. */
export type Check = (value: unknown, problems: FieldProblem[], context: RuleContext) => void;

export interface FieldRule {
  readonly check: Check;
  /** Why this record needs the field, or undefined if it does not; a rule without it is needed whenever required. */
  readonly neededBy?: (record: RuleContext['record']) => string | undefined;
}
