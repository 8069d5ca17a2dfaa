/** A query in a file of plans. */
export function section(name: string, statements: readonly string[], plan: readonly string[]): string {
  return [
    `# ${name}`,
    ...statements.map((sql) => sql.replaceAll(/\s+/g, ' ')),
    '',
    ...plan.map((step) => `  ${step}`),
    '',
  ].join('\n');
}
