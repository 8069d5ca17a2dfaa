/**
 * The image part of CloudAPI. `node src/cloudapi/main.ts -f CONFIG`; its first line says where it listens. SIGTERM and
 * SIGINT let the requests under way end, and exit 0.
 */
import { parseArgs } from 'node:util';
import { ConfigError } from '../config/config-error.ts';
import { createLog } from '../log.ts';
import { startCloudapi } from './app.ts';
import { loadCloudapiConfig } from './config.ts';

const USAGE = 'usage: node src/cloudapi/main.ts -f CONFIG\n';
const USAGE_ERROR = 2;

async function main(): Promise<void> {
  const { file, help } = readArguments();
  if (help) {
    process.stdout.write(USAGE);
    return;
  }
  if (file === undefined) throw new UsageError('a configuration file is needed');
  const { config, unknownKeys } = await loadCloudapiConfig(file);
  const log = createLog('cloudapi', config.logLevel);
  if (unknownKeys.length > 0) log.warn({ keys: unknownKeys }, 'the configuration has keys that mean nothing here');

  // A fault of ours must not end the requests of everybody else.
  process.on('uncaughtException', (error) => log.fatal({ err: error }, 'uncaught exception'));
  process.on('unhandledRejection', (error) => log.fatal({ err: error }, 'unhandled rejection'));

  const cloudapi = await startCloudapi(config, { log });
  process.stdout.write(
    `cloudapi of ${config.datacenterName} listens on ${cloudapi.url}, images from ${config.imgapi.url}\n`,
  );

  let stopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, 'stopping');
    cloudapi.close().then(
      () => process.exit(0),
      (error: unknown) => {
        log.fatal({ err: error }, 'stopping failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

class UsageError extends Error {}

function readArguments(): { readonly file?: string | undefined; readonly help?: boolean | undefined } {
  try {
    const options = { file: { type: 'string', short: 'f' }, help: { type: 'boolean', short: 'h' } } as const;
    return parseArgs({ options }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

main().catch((error: unknown) => {
  if (error instanceof UsageError) {
    process.stderr.write(`cloudapi: ${error.message}\n${USAGE}`);
    process.exit(USAGE_ERROR);
  }
  const known = error instanceof ConfigError || (error as NodeJS.ErrnoException).code?.startsWith('E');
  process.stderr.write(`cloudapi: ${known ? (error as Error).message : (error as Error).stack}\n`);
  process.exit(1);
});
