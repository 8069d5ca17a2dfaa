/** `imgapiadm doctor`: what is wrong with this installation, and what to do about it. */
import { ConfigError } from '#src/service/config/config-error.ts';
import { CommandError } from '../../framework/errors.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { printable } from '../../output/printable.ts';
import { defineCommand } from '../connection/define-command.ts';
import { REMOTE_PATIENCE } from '../connection/patience.ts';
import type { Finding } from '../doctor/finding.ts';
import { lookAtFiles } from '../doctor/look-at-files.ts';
import { lookAtServer } from '../doctor/look-at-server.ts';

export const doctor = defineCommand({
  name: 'doctor',
  summary: 'say what is wrong with this installation',
  description: [
    "Looks at the configuration that --config names, the data directory, keys, room, and, while the server runs, at its stores, tasks, clocks and links. The exit status is 1 when something is wrong. Run it as the server's user.",
  ],
  arguments: {},
  options: {},
  examples: [{ command: 'imgapiadm -f /etc/imgapi/imgapi.json doctor', what: 'what is wrong, and what to do' }],
  async run({ context, output, json, signal }) {
    const findings: Finding[] = [];
    const server = await context.serverConfig().catch((error: unknown) => {
      if (!(error instanceof ConfigError)) throw error;
      const mend = 'correct the file; imgapiadm check-config says whether it is right';
      for (const problem of error.problems) findings.push({ part: 'configuration', problem, mend });
      return undefined;
    });
    if (server) {
      const { config, file } = server;
      if (file !== undefined) findings.push(...(await unknownKeys(file)));
      findings.push(...(await lookAtFiles(config.dataDir, config.storage.headroomBytes)));
      try {
        findings.push(...(await lookAtServer(await context.operator(REMOTE_PATIENCE), signal)));
      } catch (error) {
        signal.throwIfAborted();
        const { message } = error as Error;
        const details = error instanceof CommandError ? error.details.join('; ') : '';
        const mend = details || 'look at the log of the server';
        findings.push({ part: 'server', problem: message, mend });
      }
    }
    if (json) output.json({ ok: findings.length === 0, findings });
    else {
      for (const { part, problem, mend } of findings) {
        output.line(printable(`${part}: ${problem}`));
        output.line(printable(`  to mend: ${mend}`));
      }
      if (findings.length === 0) output.line('nothing is wrong');
    }
    return findings.length === 0 ? EXIT.ok : EXIT.failed;
  },
});

async function unknownKeys(file: string): Promise<Finding[]> {
  const { loadConfig } = await import('#src/service/config/load.ts');
  const { unknownKeys: unknown } = await loadConfig(file);
  return unknown.map((key) => ({
    part: 'configuration',
    problem: `${key}: there is no such key`,
    mend: `correct or remove it in ${file}`,
  }));
}
