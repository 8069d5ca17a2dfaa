/** Problems in a configuration: one line for each, which names the key, its value and what would be right. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  /** @param from the file, or whatever else messages are to name as the source */
  constructor(from: string, problems: readonly string[], options?: ErrorOptions) {
    super(problems.map((problem) => `${from}: ${problem}`).join('\n'), options);
    this.problems = problems;
  }
}
