/** The page on many processes: what it says to type, with a server that has workers. */
import { test } from 'tap';
import { freePort } from '../helpers/free-port.ts';
import { runDocument } from './runner/run-document.ts';
import { documentServer } from './runner/servers.ts';
import { workplaceFor } from './runner/workplace.ts';

test('every line of the page on many processes does what it says', async (t) => {
  const { tree, config, shell, configure } = await workplaceFor(t);
  const metrics = { address: '127.0.0.1', port: await freePort() };
  await configure({ metrics });
  let supervisor = 0;
  await runDocument(t, {
    file: 'docs/many-processes.md',
    shells: { '': shell() },
    values: {
      CONFIG: config,
      SUPERVISOR: () => String(supervisor),
      'http://10.99.1.21:8881': `http://127.0.0.1:${metrics.port}`,
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
        t.match(stdout, /^server_workers\{.*\} [234]$/m, 'old and new ones');
        t.match(stdout, /^server_worker_losses_total\{.*\} 0$/m);
      },
    },
  });
});
