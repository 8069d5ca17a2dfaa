/** What is wrong with a configuration: one line per problem, each naming the key, its value and what would be right. */

export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  /** @param from the file, or what stands for it */
  constructor(from: string, problems: readonly string[], options?: ErrorOptions) {
    super(problems.map((problem) => `${from}: ${problem}`).join('\n'), options);
    this.problems = problems;
  }
}
