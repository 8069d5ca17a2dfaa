/** docs/engines/moray.md, with the double as Moray and its real commands. */
import { test } from 'tap';
import { loadConfig } from '#src/service/config/load.ts';
import { morayDouble, rawClient } from '../doubles/moray/client.ts';
import { freePort } from '../helpers/free-port.ts';
import type { ConfigKeys } from '../helpers/imgapi.ts';
import { makeTodaysBucket, WITH_INDEXES } from '../lib/documents/moray/todays-bucket.ts';
import { readJson } from './runner/blocks.ts';
import { runDocument } from './runner/run-document.ts';
import { documentServer } from './runner/servers.ts';
import { workplaceFor } from './runner/workplace.ts';

const FILE = 'docs/engines/moray.md';

test('the configuration of the page on Moray is one', async (t) => {
  const { config, unknownKeys, notes } = await loadConfig(undefined, readJson(FILE) as ConfigKeys, { strict: true });
  t.match(config, { databaseType: 'moray', moray: { host: '10.99.99.17', port: 2020, timeoutSeconds: 10 } });
  t.strictSame([...unknownKeys, ...notes], []);
});

test('every line of the page on Moray does what it says', async (t) => {
  const moray = await morayDouble(t);
  await makeTodaysBucket(await rawClient(t, moray));
  const { tree, config, url, shell, configure } = await workplaceFor(t);
  const metrics = { address: '127.0.0.1', port: await freePort() };
  const place = { host: '127.0.0.1', port: String(moray.port) };
  await configure({ databaseType: 'moray', moray: place, metrics });
  await runDocument(t, {
    file: FILE,
    shells: { '': shell(`${tree}/node_modules/moray/bin`) },
    values: {
      CONFIG: config,
      '10.99.99.17': '127.0.0.1',
      '2020': String(moray.port),
      'http://10.99.99.21': url,
      'http://10.99.99.21:8881': `http://127.0.0.1:${metrics.port}`,
    },
    instead: {
      'node-24 src/main.ts -f CONFIG': (line) => documentServer(t, line, tree).start(),
    },
    after: {
      'curl -s http://10.99.99.21/healthz': ({ stdout }) => {
        t.match(JSON.parse(stdout), { checks: { store: { ok: true } } });
      },
      'getbucket -h 10.99.99.17 -p 2020 imgapi_images': ({ stdout }) => {
        const options = { version: WITH_INDEXES };
        t.match(JSON.parse(stdout), { index: { channels: { type: '[string]' } }, options });
      },
    },
  });
});
