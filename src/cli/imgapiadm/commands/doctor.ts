/** `imgapiadm doctor`: what is wrong with this installation, and what to do about it. */
import { ImgapiUnreachableError } from '#lib/client/errors.ts';
import type { Config } from '#src/service/config/config.ts';
import { ConfigError } from '#src/service/config/config-error.ts';
import type { TokensConfig } from '#src/service/config/tokens.ts';
import { CommandError } from '../../framework/errors.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { printable } from '../../output/printable.ts';
import { defineCommand } from '../connection/define-command.ts';
import { REMOTE_PATIENCE } from '../connection/patience.ts';
import type { Finding } from '../doctor/finding.ts';
import { lookAtAccounts } from '../doctor/look-at-accounts.ts';
import { lookAtFiles } from '../doctor/look-at-files.ts';
import { lookAtOwners } from '../doctor/look-at-owners.ts';
import { lookAtServer } from '../doctor/look-at-server.ts';
import type { StoresSeen } from '../doctor/look-at-stores.ts';

const START =
  'start it (systemctl start imgapi; svcadm enable imgapi); if it does not stay up, the last line of its log says why';

export const doctor = defineCommand({
  name: 'doctor',
  summary: 'say what is wrong with this installation',
  description: [
    "Looks at the configuration that --config names and who may read its secrets, the data directory, keys, room, the keys of bearer tokens, the databases and stores that it names with their clocks, and, while the server runs, at its parts, tasks, damaged files and links with theirs. What is down is said with its address and the reason, after some seconds at most. The exit status is 1 when something is wrong. Run it as the server's user.",
  ],
  arguments: {},
  options: {},
  examples: [{ command: 'imgapiadm -f /etc/imgapi/imgapi.json doctor', what: 'what is wrong, and what to do' }],
  async run({ context, output, json, signal }) {
    const findings: Finding[] = [];
    const notes: string[] = [];
    const server = await context.serverConfig().catch(async (error: unknown) => {
      if (!(error instanceof ConfigError)) throw error;
      findings.push(...(await configFindings()).refusedConfig(error));
      return undefined;
    });
    if (server) {
      const { file, ...loaded } = server;
      const { config } = loaded;
      if (file !== undefined) {
        const { lookAtConfig, relativeFolder } = await configFindings();
        findings.push(...(await lookAtConfig(file, loaded)));
        notes.push(...relativeFolder(file, loaded));
      }
      findings.push(...(await lookAtFiles(config.dataDir, config.storage.headroomBytes)));
      findings.push(...(await lookAtOwners(config.dataDir)));
      if (!config.ufds && config.mode === 'dc') findings.push(...(await lookAtAccounts(config.accounts.file)));
      if (config.tokens) findings.push(...(await lookAtTokens(config.tokens)));
      const stores = await seenStores(config);
      findings.push(...stores.findings);
      notes.push(...stores.notes);
      try {
        const operator = () => context.operator(REMOTE_PATIENCE);
        const mostSkew = config.links.clockSkewSeconds;
        findings.push(...(await lookAtServer({ url: await context.url(), operator, mostSkew }, signal)));
      } catch (error) {
        signal.throwIfAborted();
        const { message } = error as Error;
        const details = error instanceof CommandError ? error.details.join('; ') : '';
        const isAway = error instanceof ImgapiUnreachableError && error.fault === 'connect';
        const mend = details || (isAway ? START : 'look at the log of the server');
        findings.push({ part: 'server', problem: message, mend });
      }
    }
    if (json) output.json({ ok: findings.length === 0, findings, notes });
    else {
      for (const { part, problem, mend } of findings) {
        output.line(printable(`${part}: ${problem}`));
        output.line(printable(`  to mend: ${mend}`));
      }
      if (findings.length === 0) output.line('nothing is wrong');
      for (const note of notes) output.line(printable(`note: ${note}`));
    }
    return findings.length === 0 ? EXIT.ok : EXIT.failed;
  },
});

/** Libraries of stores are loaded for this command alone. */
async function seenStores(config: Config): Promise<StoresSeen> {
  const { lookAtStores } = await import('../doctor/look-at-stores.ts');
  return lookAtStores(config);
}

/** Rules of configurations are loaded for this command alone. */
function configFindings() {
  return import('../doctor/look-at-config.ts');
}

async function lookAtTokens(tokens: TokensConfig): Promise<Finding[]> {
  return (await import('../doctor/look-at-tokens.ts')).lookAtTokens(tokens);
}
