/** CloudAPI's image part as a process: from a configuration file to a server that listens. */
import { redact } from '#lib/text/redact.ts';
import type { ServerProcess } from '../service/prepared-server.ts';
import { type CloudapiConfig, loadCloudapiConfig } from './config.ts';

export const cloudapiProcess: ServerProcess<CloudapiConfig> = {
  name: 'cloudapi',
  command: 'imgapi-cloudapi',
  usage: '-f CONFIG [--workers N]',
  needsConfig: true,
  live: ['logLevel'],
  async prepare(file = '') {
    const { config, unknownKeys, unknownKeyProblems, notes } = await loadCloudapiConfig(file);
    const { logLevel, workers, workerSilenceSeconds, shutdown } = config;
    return {
      ...{ config, logLevel, unknownKeys, unknownKeyProblems, notes: [] },
      ...{ workers, workerSilenceSeconds, stopWithin: shutdown.seconds },
      async start(log) {
        for (const note of notes) log.warn(note);
        // A supervisor needs none of it.
        const { startCloudapi } = await import('./app.ts');
        const cloudapi = await startCloudapi(config, { log });
        const { datacenterName, imgapi } = config;
        const line = `cloudapi of ${datacenterName} listens on ${cloudapi.url}, images from ${redact(imgapi.url)}`;
        return { line, take: async () => {}, close: (closing) => cloudapi.close(closing) };
      },
    };
  },
};
