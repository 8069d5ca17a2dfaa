/**
 * The IMGAPI server. `node src/main.ts [-f CONFIG]`; its first line says where it listens. SIGTERM and SIGINT let the
 * requests under way end, and exit 0.
 */
import { parseArgs } from 'node:util';
import type { LogLevel } from 'bunyan';
import { startImgapi } from './app.ts';
import { ConfigError } from './config/config-error.ts';
import { loadConfig } from './config/load.ts';
import { createLog } from './log.ts';

const USAGE = 'usage: node src/main.ts [-f CONFIG]\n';

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { file: { type: 'string', short: 'f' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  const { config, unknownKeys, notes } = await loadConfig(values.file);
  const log = createLog('imgapi', config.logLevel as LogLevel);
  if (unknownKeys.length > 0) log.warn({ keys: unknownKeys }, 'the configuration has keys that mean nothing here');
  for (const note of notes) log.info(note);

  // A fault of ours must not take the transfers of everybody else with it.
  process.on('uncaughtException', (error) => log.fatal({ err: error }, 'uncaught exception'));
  process.on('unhandledRejection', (error) => log.fatal({ err: error }, 'unhandled rejection'));

  const imgapi = await startImgapi(config, { log, fault: process.env['IMGAPI_FAULT'] });

  let stopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, 'stopping');
    imgapi.close().then(
      () => process.exit(0),
      (error: unknown) => {
        log.fatal({ err: error }, 'stopping failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  // Only now: whoever reads that it listens may ask it to stop at once.
  const links = imgapi.linksUrl === undefined ? '' : `, links on ${imgapi.linksUrl}`;
  process.stdout.write(`imgapi listens on ${imgapi.url}${links}, data in ${config.dataDir}\n`);
}

main().catch((error: unknown) => {
  const known = error instanceof ConfigError || (error as NodeJS.ErrnoException).code?.startsWith('E');
  process.stderr.write(`imgapi: ${known ? (error as Error).message : (error as Error).stack}\n`);
  process.exit(1);
});
