/** What `--help` of a server prints: the synopsis, and what each option does. */
export interface ServerUse {
  /** What people start it by. */
  readonly command: string;
  /** What may come after the command. */
  readonly usage: string;
  readonly needsConfig: boolean;
}

export function serverHelp({ command, usage, needsConfig }: ServerUse): string {
  const trial = [
    'Default: a server for trying out, at http://127.0.0.1:8080,',
    'with its data in build/data below the working directory.',
  ];
  return [
    `usage: ${command} ${usage}`,
    '',
    '    -f CONFIG    The configuration, a file of JSON.',
    ...(needsConfig ? [] : trial.map((line) => `                 ${line}`)),
    '    --workers N  So many processes, and one that looks after them.',
    '    -h, --help   Show this help.',
    '    --version    Show the version.',
    '',
    'A line on standard output says where it listens; the log goes to standard error.',
    `SIGHUP has it read the configuration again. See: man ${command}`,
    '',
  ].join('\n');
}
