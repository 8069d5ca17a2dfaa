/** The page on many processes: what it says to type, with a server that has workers. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { freePort } from '../helpers/free-port.ts';
import { configKeys, temporaryFolder } from '../helpers/imgapi.ts';
import { runDocument } from './runner/run-document.ts';
import { documentServer } from './runner/servers.ts';
import { Shell, treeOfLinks } from './runner/shells.ts';

test('every line of the page on many processes does what it says', async (t) => {
  const tree = await treeOfLinks(t);
  const scratch = await temporaryFolder(t);
  const [port, metricsPort] = [await freePort(), await freePort()];
  const dataDir = join(scratch, 'data');
  const config = join(scratch, 'imgapi.config.json');
  const metrics = { address: '127.0.0.1', port: metricsPort };
  writeFileSync(config, JSON.stringify({ ...(await configKeys(dataDir)), port, metrics }));
  const url = `http://127.0.0.1:${port}`;
  let supervisor = 0;
  await runDocument(t, {
    file: 'docs/many-processes.md',
    shells: { '': new Shell(tree, scratch, { IMGAPI_URL: url, IMGAPI_DATA_DIR: dataDir }) },
    values: {
      CONFIG: config,
      SUPERVISOR: () => String(supervisor),
      'http://10.99.1.21:8881': `http://127.0.0.1:${metricsPort}`,
    },
    instead: {
      'node-24 src/main.ts -f CONFIG --workers 2': async (line) => {
        const server = documentServer(t, line, tree);
        await server.start();
        supervisor = server.pid;
      },
    },
    after: {
      'curl -s http://10.99.1.21:8881/metrics | grep server_worker': ({ stdout }) => {
        t.match(stdout, /^server_workers [234]$/m, 'old and new ones');
        t.match(stdout, /^server_worker_losses_total 0$/m);
      },
    },
  });
});
