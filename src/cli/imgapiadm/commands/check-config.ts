/** `imgapiadm check-config`: whether the server would start with a configuration file. */
import { ConfigError } from '#src/service/config/config-error.ts';
import { fileProblems, notesOnFiles } from '#src/service/config/named-files.ts';
import { notesOnTodaysRecords } from '#src/service/todays-records.ts';
import { CommandError } from '../../framework/errors.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { printable } from '../../output/printable.ts';
import { defineCommand } from '../connection/define-command.ts';

export const checkConfig = defineCommand({
  name: 'check-config',
  summary: "check a server's configuration file",
  description: [
    'Needs no server, but reads the files that the configuration names: authorities, keys, accounts, secrets. One without which the server does not start is a problem, one that it lacks afterwards a note. Unknown keys are warnings; with --strict they are problems.',
  ],
  arguments: { FILE: { help: 'The configuration, a JSON file.' } },
  options: { strict: { type: 'flag', help: 'Treat unknown keys as problems.' } },
  examples: [
    { command: 'imgapiadm check-config --strict etc/imgapi.json', what: 'before the server is restarted with it' },
  ],
  async run({ options: { strict }, arguments: { FILE: file }, output, json }) {
    const { loadConfig } = await import('#src/service/config/load.ts');
    try {
      const { config, unknownKeys, unknownKeyProblems, notes: found } = await loadConfig(file, {}, { strict });
      const unusable = await fileProblems(config);
      if (unusable.length > 0) throw new ConfigError(file, unusable);
      const notes = [...found, ...(await notesOnFiles(config)), ...(await notesOnTodaysRecords(config, file))];
      if (json) output.json({ file, ok: true, problems: [], unknown_keys: unknownKeys, notes });
      else {
        for (const problem of unknownKeyProblems) output.note(`warning: ${printable(problem)}`);
        for (const note of notes) output.note(`note: ${printable(note)}`);
        output.line(`${file}: ok`);
      }
      return undefined;
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      const { problems } = error;
      if (!json) throw configError(file, problems);
      output.json({ file, ok: false, problems, unknown_keys: [], notes: [] });
      return EXIT.failed;
    }
  },
});

function configError(file: string, problems: readonly string[]): CommandError {
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  return new CommandError(`${file} has ${count}`, { code: 'Config', details: problems });
}
