/**
 * Decides by an account's policies, as Triton does: an attempt is allowed if a role that was taken for it has a rule that
 * allows it, and is tagged on the resource or the rule names the resource. What cannot be read or decided allows nothing.
 */
import type Logger from 'bunyan';
import { LRUCache } from 'lru-cache';
import type { Role } from '#lib/accounts/accounts.ts';
import { parseRule } from '#lib/policies/parse-rule.ts';
import { type Attempt, allows, type Rule } from '#lib/policies/rule.ts';

export interface Policies {
  /**
   * @param roles those taken
   * @param tags UUIDs of the roles that are tagged on the resource
   */
  allow(roles: readonly Role[], tags: readonly string[], attempt: Attempt): boolean;
}

/** Whoever has this role of an account may do anything there, by no policy and without tags. */
const ADMINISTRATOR = 'administrator';

const MOST_RULES = 10_000;

/** Only what the text of a rule means is remembered: which rules there are is decided by the roles as they are. */
export function policies(log: Logger): Policies {
  const parsed = new LRUCache<string, { readonly rule: Rule | undefined }>({ max: MOST_RULES });

  function read(text: string, where: object): Rule | undefined {
    const known = parsed.get(text);
    if (known) return known.rule;
    let rule: Rule | undefined;
    try {
      rule = parseRule(text);
    } catch (error) {
      log.warn({ err: error, rule: text, ...where }, 'a rule that cannot be read allows nothing');
    }
    parsed.set(text, { rule });
    return rule;
  }

  function isAllowedBy(text: string, isTagged: boolean, attempt: Attempt, where: object): boolean {
    const rule = read(text, where);
    if (!rule || (!isTagged && !rule.allowsResource)) return false;
    try {
      return allows(rule, attempt);
    } catch (error) {
      log.warn({ err: error, rule: text, ...where }, 'a rule that cannot be decided allows nothing');
      return false;
    }
  }

  return {
    allow(roles, tags, attempt) {
      return roles.some(({ uuid, name: role, policies: theirs }) => {
        if (role === ADMINISTRATOR) return true;
        const isTagged = tags.includes(uuid);
        return theirs.some(({ name: policy, rules }) =>
          rules.some((rule) => isAllowedBy(rule, isTagged, attempt, { resource: attempt.resource, role, policy })),
        );
      });
    },
  };
}
