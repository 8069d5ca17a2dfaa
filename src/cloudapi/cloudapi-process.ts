/** CloudAPI's image part as a process: from a configuration file to a server that listens. */
import { createLog } from '#lib/runtime/log.ts';
import { redact } from '#lib/text/redact.ts';
import type { ServerProcess } from '../service/server-process.ts';
import { startCloudapi } from './app.ts';
import { loadCloudapiConfig } from './config.ts';

export const cloudapiProcess: ServerProcess = {
  name: 'cloudapi',
  usage: 'node-24 src/cloudapi/main.ts -f CONFIG',
  needsConfig: true,
  async prepare(file = '') {
    const { config, unknownKeys, notes } = await loadCloudapiConfig(file);
    const log = createLog('cloudapi', config.logLevel);
    for (const note of notes) log.warn(note);
    const start = async () => {
      const cloudapi = await startCloudapi(config, { log });
      const { datacenterName, imgapi } = config;
      const line = `cloudapi of ${datacenterName} listens on ${cloudapi.url}, images from ${redact(imgapi.url)}`;
      return { line, close: (patience: number) => cloudapi.close(patience) };
    };
    return { log, unknownKeys, stopWithin: config.shutdown.seconds, start };
  },
};
