/** What is wrong with a rule: it cannot be read, or not be decided for a request. Such a rule allows nothing. */
export class RuleError extends Error {
  override readonly name = 'RuleError';
}
