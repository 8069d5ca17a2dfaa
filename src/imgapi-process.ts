/** IMGAPI as a process: from a configuration file to a server that listens. */
import type { Config } from './service/config/config.ts';
import { loadConfig } from './service/config/load.ts';
import type { ServerProcess } from './service/prepared-server.ts';
import { notesOnTodaysRecords } from './service/todays-records.ts';

export const imgapiProcess: ServerProcess<Config> = {
  name: 'imgapi',
  command: 'imgapi',
  usage: '[-f CONFIG] [--workers N]',
  needsConfig: false,
  live: ['logLevel', 'authKeys'],
  async prepare(file) {
    const { config, unknownKeys, unknownKeyProblems, notes } = await loadConfig(file);
    const warnings = await notesOnTodaysRecords(config, file);
    const { logLevel, workers, workerSilenceSeconds, shutdown } = config;
    return {
      ...{
        config,
        logLevel,
        unknownKeys,
        unknownKeyProblems,
        notes,
        warnings,
        workers,
        workerSilenceSeconds,
        stopWithin: shutdown.seconds,
      },
      async start(log, fleet) {
        // A supervisor needs none of it.
        const { startImgapi } = await import('./app.ts');
        const imgapi = await startImgapi(config, { log, fault: process.env['IMGAPI_FAULT'], fleet });
        const links = imgapi.linksUrl === undefined ? '' : `, links on ${imgapi.linksUrl}`;
        const line = `imgapi listens on ${imgapi.url}${links}, data in ${config.dataDir}`;
        return { line, take: (next) => imgapi.takeKeys(next.authKeys), close: (closing) => imgapi.close(closing) };
      },
    };
  },
};
