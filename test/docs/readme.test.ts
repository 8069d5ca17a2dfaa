/** The tour of README, as somebody takes it who has just cloned the project. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { sha1Of } from '../helpers/images.ts';
import { temporaryFolder } from '../helpers/imgapi.ts';
import { runDocument } from './runner/run-document.ts';
import { documentServer } from './runner/servers.ts';
import { Shell, treeOfLinks } from './runner/shells.ts';

/** As `make run` does it, on a port that is free. */
const KEYS = {
  ...JSON.parse(readFileSync('etc/examples/embedded-private.json', 'utf8')),
  address: '127.0.0.1',
  port: 0,
};

test('every line of the tour does what it says, below build/tour', async (t) => {
  const tree = await treeOfLinks(t);
  const scratch = await temporaryFolder(t);
  const config = join(scratch, 'config.json');
  writeFileSync(config, JSON.stringify(KEYS));
  // What make would install is here: it runs these tests.
  const server = documentServer(t, `make run CONFIG=${config} --no-print-directory -o node_modules/.installed`, tree);
  await server.start();
  const shell = new Shell(tree, scratch, { IMGAPI_URL: server.url });
  let served = '';
  await runDocument(t, {
    file: 'README.md',
    shells: { '': shell },
    values: { 'http://127.0.0.1:8080': server.url },
    instead: { 'make run': async () => {} },
    notRun: ['the second is the tests'],
    after: {
      'curl -s "$U/images?name=~my"': ({ stdout }) => {
        served = stdout;
      },
    },
  });
  const file = readFileSync(join(tree, 'build/tour/root.tar.gz'));
  t.match(served, /"name": "my-image"/);
  t.match(served, sha1Of(file));
  t.match(served, /^100$/m);
  t.ok(existsSync(join(tree, 'build/tour/image.json')));
  t.ok(existsSync(join(tree, 'build/data/imgapi.db')), 'the data is below build/data');
  await server.stop();
});
