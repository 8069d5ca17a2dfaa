/** The types that the field rules share. */
import type { FieldProblem } from './problem.ts';

/** How IMGAPI is run: within a datacenter, or as a public or private image server. */
export type ManifestMode = 'dc' | 'public' | 'private';

export interface RuleContext {
  /** The whole record, for rules that look at more than one field. */
  readonly record: Readonly<Record<string, unknown>>;
  readonly mode: ManifestMode;
  /** Whether this IMGAPI has channels. */
  readonly channels: boolean;
  /**
   * The record was stored earlier, perhaps by an older IMGAPI. Newer rules do not apply: an image that was once accepted
   * must not vanish.
   */
  readonly stored: boolean;
}

/** Checks a value that is present, and adds to `problems` what is wrong with it. */
export type Check = (value: unknown, problems: FieldProblem[], context: RuleContext) => void;

export interface FieldRule {
  readonly check: Check;
  /** Why this record needs the field; undefined if it does not. Without this function every record needs the field. */
  readonly neededBy?: (record: RuleContext['record']) => string | undefined;
}
