/**
 * The operator guide as the operator of us-west-1 goes by it, beside an us-sw-1 that is there. What service management
 * does in the guide the test does itself: it has no machine that systemd runs.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { ALICE, CAROL } from '../helpers/accounts.ts';
import { startSite } from '../helpers/cloud.ts';
import { freePort } from '../helpers/free-port.ts';
import { makeImage } from '../helpers/images.ts';
import { configKeys, temporaryFolder } from '../helpers/imgapi.ts';
import { runDocument } from './runner/run-document.ts';
import { type DocumentServer, documentServer } from './runner/servers.ts';
import { Shell, treeOfLinks } from './runner/shells.ts';

test('every line of the operator guide does what it says', async (t) => {
  const tree = await treeOfLinks(t);
  const scratch = await temporaryFolder(t);
  const there = await startSite(t, 'us-sw-1');
  const { image } = await makeImage(there.alice);
  const [port, metricsPort, linksPort] = [await freePort(), await freePort(), await freePort()];
  const dataDir = join(scratch, 'data');
  const write = (name: string, keys: object): string => {
    const file = join(scratch, name);
    writeFileSync(file, JSON.stringify(keys));
    return file;
  };
  const config = write('imgapi.config.json', {
    ...(await configKeys(dataDir, { datacenterName: 'us-west-1' })),
    port,
    links: { port: linksPort, publicUrl: `http://127.0.0.1:${linksPort}` },
    metrics: { address: '127.0.0.1', port: metricsPort },
  });
  const url = `http://127.0.0.1:${port}`;
  const accounts = { file: join(dataDir, 'accounts.json') };
  const cloudapiConfig = write('cloudapi.config.json', {
    ...{ address: '127.0.0.1', port: 0, datacenterName: 'us-west-1', logLevel: 'fatal', adminUuid: CAROL },
    ...{ imgapi: { url }, accounts },
  });
  const here = new Shell(tree, scratch, { IMGAPI_URL: url, IMGAPI_DATA_DIR: dataDir });
  const otherScratch = await temporaryFolder(t);
  const other = new Shell(tree, otherScratch, {
    PATH: `${tree}/src/cli/bin:${process.env['PATH']}`,
    IMGAPI_URL: there.server.url,
    IMGAPI_DATA_DIR: there.dataDir,
  });

  let server: DocumentServer | undefined;
  const start = async (line: string): Promise<void> => {
    server = documentServer(t, line, tree);
    await server.start();
  };
  let token = '';
  await runDocument(t, {
    file: 'docs/operator-guide.md',
    shells: { '': here, 'us-west-1': here, 'us-sw-1': other },
    notRun: ['it needs root on a machine that systemd runs'],
    values: {
      CLOUDAPI_CONFIG: cloudapiConfig,
      CONFIG: config,
      IMAGE: image.uuid,
      ACCOUNT: ALICE,
      TOKEN: () => token,
      'imgapi-link-v1.…': () => token,
      'http://10.99.1.20:8081': there.network.url,
      'http://10.99.1.21:8881': `http://127.0.0.1:${metricsPort}`,
      '/backup/imgapi': join(scratch, 'backup'),
      '/var/lib/imgapi': dataDir,
      '/tmp/drill': join(scratch, 'drill'),
    },
    instead: {
      'node-24 src/main.ts -f CONFIG': start,
      'node-24 src/cloudapi/main.ts -f CLOUDAPI_CONFIG': (line) => documentServer(t, line, tree).start(),
      // It is this process's user that restores here.
      'install -d -o imgapi -g imgapi -m 700 /var/lib/imgapi': async () => void mkdirSync(dataDir, { mode: 0o700 }),
      'systemctl stop imgapi': async () => server?.stop(),
      'systemctl start imgapi': async () => server?.start(),
    },
    before: {
      'imgapiadm link-dc us-sw-1 http://10.99.1.20:8081 --token TOKEN --pull-origin https://objects.example.com':
        async () => {
          ({ token } = await there.administer<{ token: string }>('POST', '/datacenters/token', {}));
        },
    },
    after: {
      'imgapiadm link-token': ({ stdout }) => {
        token = stdout.trim();
      },
      'imgapiadm copy us-sw-1 IMAGE -a ACCOUNT': ({ stdout }) => void t.match(stdout, 'copied from us-sw-1'),
      'imgapiadm restore /backup/imgapi --data-dir /var/lib/imgapi': ({ stdout }) =>
        void t.match(stdout, /^1 image, /m),
    },
  });
  t.ok(existsSync(`${dataDir}.lost/imgapi.db`));
});
