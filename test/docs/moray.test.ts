/** docs/engines/moray.md, with the double as Moray and its real commands. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { loadConfig } from '#src/service/config/load.ts';
import { morayDouble, rawClient } from '../doubles/moray/client.ts';
import { freePort } from '../helpers/free-port.ts';
import { configKeys, temporaryFolder } from '../helpers/imgapi.ts';
import { makeTodaysBucket } from '../lib/documents/moray/todays-bucket.ts';
import { runDocument } from './runner/run-document.ts';
import { documentServer } from './runner/servers.ts';
import { Shell, treeOfLinks } from './runner/shells.ts';

const FILE = 'docs/engines/moray.md';

test('the configuration of the page on Moray is one', async (t) => {
  const [, json = ''] =
    /```json\n(.*?)```/s.exec(readFileSync(new URL(`../../${FILE}`, import.meta.url), 'utf8')) ?? [];
  const { config, unknownKeys, notes } = await loadConfig(undefined, JSON.parse(json), { strict: true });
  t.match(config, { databaseType: 'moray', moray: { host: '10.99.99.17', port: 2020, timeoutSeconds: 10 } });
  t.strictSame([...unknownKeys, ...notes], []);
});

test('every line of the page on Moray does what it says', async (t) => {
  const moray = await morayDouble(t);
  await makeTodaysBucket(await rawClient(t, moray));
  const tree = await treeOfLinks(t);
  const scratch = await temporaryFolder(t);
  const [port, metricsPort] = [await freePort(), await freePort()];
  const dataDir = join(scratch, 'data');
  const config = join(scratch, 'imgapi.config.json');
  const keys = { databaseType: 'moray', moray: { host: '127.0.0.1', port: String(moray.port) } };
  const metrics = { address: '127.0.0.1', port: metricsPort };
  writeFileSync(config, JSON.stringify({ ...(await configKeys(dataDir, keys)), port, metrics }));
  const url = `http://127.0.0.1:${port}`;
  const path = `${tree}/src/cli/bin:${tree}/node_modules/moray/bin:${process.env['PATH']}`;
  await runDocument(t, {
    file: FILE,
    shells: { '': new Shell(tree, scratch, { PATH: path, IMGAPI_URL: url, IMGAPI_DATA_DIR: dataDir }) },
    values: {
      CONFIG: config,
      '10.99.99.17': '127.0.0.1',
      '2020': String(moray.port),
      'http://10.99.99.21': url,
      'http://10.99.99.21:8881': `http://127.0.0.1:${metricsPort}`,
    },
    instead: {
      'node-24 src/main.ts -f CONFIG': (line) => documentServer(t, line, tree).start(),
    },
    after: {
      'curl -s http://10.99.99.21/healthz': ({ stdout }) => {
        t.match(JSON.parse(stdout), { checks: { store: { ok: true } } });
      },
      'getbucket -h 10.99.99.17 -p 2020 imgapi_images': ({ stdout }) => {
        t.match(JSON.parse(stdout), { index: { channels: { type: '[string]' } }, options: { version: 5 } });
      },
    },
  });
});
