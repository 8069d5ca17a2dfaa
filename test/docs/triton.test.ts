/** docs/triton.md in a zone with a rendered configuration. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { mantaFor } from '../engines/manta.ts';
import { LOCALS, zoneFor } from '../etc/rendered/zone.ts';
import { withPlaces } from '../etc/start-file.ts';
import { freePort } from '../helpers/free-port.ts';
import { temporaryFolder } from '../helpers/imgapi.ts';
import { runDocument } from './runner/run-document.ts';
import { documentServer } from './runner/servers.ts';
import { Shell, treeOfLinks } from './runner/shells.ts';

test('every line of the page on Triton does what it says', async (t) => {
  const tree = await treeOfLinks(t);
  const { dataDir, places } = await zoneFor(t);
  const { keys } = await mantaFor(t);
  const { url: mantaUrl, key, keyId } = keys.manta as Record<'url' | 'key' | 'keyId', string>;
  const port = await freePort();
  const config = join(dataDir, 'etc', 'imgapi.config.json');
  const rendered = readFileSync('test/etc/rendered/manta.json', 'utf8');
  const own = {
    ...places,
    '"port": 80,': `"port": ${port}, "dataDir": "${dataDir}", "metrics": { "port": 0 },`,
    'https://manta.us-sw.cloud.example.com': mantaUrl,
    '/root/.ssh/imgapi.id_rsa': key,
    '8a:05:2c:5f:4c:29:b3:7a:0b:50:9c:15:11:d2:2c:1e': keyId,
  };
  writeFileSync(config, withPlaces(rendered, own));
  const url = `http://127.0.0.1:${port}`;
  const path = `${tree}/src/cli/bin:${process.env['PATH']}`;
  await runDocument(t, {
    file: 'docs/triton.md',
    notRun: [
      'npm has all binaries for the machine that they run on',
      'it needs a zone of Triton',
      'it needs a zone of Triton',
    ],
    shells: {
      '': new Shell(tree, await temporaryFolder(t), { PATH: path, IMGAPI_URL: url, IMGAPI_DATA_DIR: dataDir }),
    },
    values: { CONFIG: config, 'http://10.99.99.21:8099': url },
    instead: { 'node-24 src/main.ts -f CONFIG': (line) => documentServer(t, line, tree).start() },
    after: {
      "curl -s 'http://10.99.99.21:8099/images?limit=3'": ({ stdout }) => void t.match(stdout, LOCALS),
      'imgapiadm verify': ({ stdout }) => void t.match(stdout, /1 file/),
      'imgapiadm migrate files --from local --to manta --dry-run': ({ stdout }) => void t.match(stdout, /planned/),
    },
  });
});
