/** The image part of CloudAPI: `node src/cloudapi/main.ts -f CONFIG`. */
import { createLog } from '../log.ts';
import { runServer } from '../server-process.ts';
import { startCloudapi } from './app.ts';
import { loadCloudapiConfig } from './config.ts';

await runServer({
  name: 'cloudapi',
  usage: 'node src/cloudapi/main.ts -f CONFIG',
  needsConfig: true,
  async prepare(file = '') {
    const { config, unknownKeys } = await loadCloudapiConfig(file);
    const log = createLog('cloudapi', config.logLevel);
    const start = async () => {
      const cloudapi = await startCloudapi(config, { log });
      const { datacenterName, imgapi } = config;
      const line = `cloudapi of ${datacenterName} listens on ${cloudapi.url}, images from ${imgapi.url}`;
      return { line, close: () => cloudapi.close() };
    };
    return { log, unknownKeys, start };
  },
});
