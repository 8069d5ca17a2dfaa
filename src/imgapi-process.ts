/** IMGAPI as a process: from a configuration file to a server that listens. */
import type { LogLevel } from 'bunyan';
import { createLog } from '#lib/runtime/log.ts';
import { startImgapi } from './app.ts';
import { loadConfig } from './service/config/load.ts';
import type { ServerProcess } from './service/server-process.ts';

export const imgapiProcess: ServerProcess = {
  name: 'imgapi',
  usage: 'node-24 src/main.ts [-f CONFIG]',
  needsConfig: false,
  async prepare(file) {
    const { config, unknownKeys, notes } = await loadConfig(file);
    const log = createLog('imgapi', config.logLevel as LogLevel);
    for (const note of notes) log.info(note);
    const start = async () => {
      const imgapi = await startImgapi(config, { log, fault: process.env['IMGAPI_FAULT'] });
      const links = imgapi.linksUrl === undefined ? '' : `, links on ${imgapi.linksUrl}`;
      const line = `imgapi listens on ${imgapi.url}${links}, data in ${config.dataDir}`;
      return { line, close: (patience: number) => imgapi.close(patience) };
    };
    return { log, unknownKeys, stopWithin: config.shutdown.seconds, start };
  },
};
