/** The command `completion`, which every program has. */
import type { Command } from '../command.ts';
import { completionScript, SHELLS, type ShellName } from './scripts.ts';

const NAMES = Object.keys(SHELLS);

/** @param program its name */
export function completion<Context>(program: string): Command<Context> {
  return {
    name: 'completion',
    summary: 'print the script with which a shell completes words at Tab',
    description: [
      'Commands, options, and names of files where they may stand. Packages of systems install it themselves.',
    ],
    arguments: {
      SHELL: {
        help: `${NAMES.join(', ')}.`,
        choices: NAMES,
        check: (value) => (NAMES.includes(value) ? undefined : `one of ${NAMES.join(', ')}`),
      },
    },
    options: {},
    examples: [
      { command: `${program} completion fish > ~/.config/fish/completions/${program}.fish`, what: 'fish, once' },
      { command: `eval "$(${program} completion bash)"`, what: 'in ~/.bashrc, or with zsh in ~/.zshrc' },
    ],
    async run({ arguments: { SHELL: shell }, output }) {
      output.line(completionScript(shell as unknown as ShellName, program).trimEnd());
      return undefined;
    },
  };
}
