/**
 * A rule of an access policy, in the language of Aperture that UFDS stores: `CAN getimage and listimages WHEN sourceip =
 * 10.0.0.0/8`. A rule only ever allows; what no rule allows is refused.
 */
import type { Matcher } from './identifiers.ts';
import { RuleError } from './rule-error.ts';

export interface Rule {
  /**
   * Whether it is for everybody, which is so when it names nobody. Who has a rule is decided by roles, so a rule that
   * names somebody is for nobody, as for Triton's own evaluator.
   */
  readonly isForAll: boolean;
  readonly allowsAction: Matcher;
  /** Undefined: whatever carries the role as a tag. */
  readonly allowsResource: Matcher | undefined;
  readonly condition: Condition | undefined;
}

/** @throws RuleError if the facts do not have what it asks for */
export type Condition = (facts: Facts) => boolean;

/** What is known of a request, by the names that conditions use. */
export type Facts = Readonly<Record<string, string | number | boolean | Date>>;

/** What somebody wants to do. */
export interface Attempt {
  /** Name of the operation in lower case, such as `getimage`. */
  readonly action: string;
  /** Path, such as `/alice/images`. */
  readonly resource: string;
  readonly facts: Facts;
}

/** @throws RuleError if it cannot be decided, which must count as no */
export function allows(rule: Rule, { action, resource, facts }: Attempt): boolean {
  if (!rule.isForAll || !rule.allowsAction(action)) return false;
  if (rule.allowsResource && !rule.allowsResource(resource)) return false;
  return rule.condition === undefined || rule.condition(facts);
}

/** The fact of that name. @throws RuleError if there is none */
export function factOf(facts: Facts, name: string): Facts[string] {
  const fact = Object.hasOwn(facts, name) ? facts[name] : undefined;
  if (fact === undefined) throw new RuleError(`"${name}" is not known of this request`);
  return fact;
}
